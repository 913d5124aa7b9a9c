"""What suppliers have is written down; what they do not say is not zero."""

from __future__ import annotations

from collections.abc import Callable

from kameng_catalog.contract import Stock
from kameng_fulfilment.suppliers.mirroring import mirror_stock

from .conftest import Fake, Supplied


async def test_figures_are_taken_over_and_missing_ones_change_nothing(
    supplied: Supplied, start_fake: Callable[..., Fake]
) -> None:
    # Given a supplier that tells of one product how many there are, and of another one nothing; and one that is dead
    alive, dead = start_fake(), start_fake()
    here, gone = await supplied.connect(alive), await supplied.connect(dead, "Dead")
    dead.die()
    told, silent, lost = [await supplied.goods(sku) for sku in ("TOLD", "SILENT", "LOST")]
    await supplied.kernel.db.execute(
        "update catalog_variant set stock_kind = 'supplier' where id = any($1::uuid[])", [told, silent, lost]
    )
    stock = supplied.kernel.services.get(Stock)
    async with supplied.kernel.db.transaction():
        await stock.mirror({told: 99, silent: 5, lost: 4})
    await supplied.offer(told, here, "ok-1")
    await supplied.offer(silent, here, "ok-2")
    await supplied.offer(lost, gone, "ok-1")
    # When they are asked
    await mirror_stock(supplied.kernel)
    # Then only what is known has changed, and no cost
    assert dict(await stock.available([told, silent, lost])) == {told: 7, silent: 5, lost: 4}
    costs = await supplied.kernel.db.fetch("select cost from fulfilment_supplier_offer")
    assert {row["cost"] for row in costs} == {30_000}
    # And no more is sold than there is
    order, _ = await supplied.order(told, 7)
    await mirror_stock(supplied.kernel)
    await supplied.work()
    assert await supplied.states(order) == ["DELIVERED"]
