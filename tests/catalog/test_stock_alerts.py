"""Alerts of low stock: one for each crossing of the threshold."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from kameng.errors import NotFound
from kameng.ids import new_id
from kameng.testing.kernels import Kernels
from kameng_catalog import alerts
from kameng_catalog import module as catalog
from kameng_catalog.alerts import acknowledge, check_all_stock, check_moved_stock
from kameng_catalog.counting import adjust_stock

from .conftest import Shop
from .stocking import desk, mirrored, quota, reusable, take


async def events(shop: Shop) -> list[tuple[str, str, int]]:
    """What was told of stock: topic, SKU, threshold."""
    rows = await shop.kernel.db.fetch(
        "select topic, payload->>'sku' as sku, (payload->>'threshold')::int as threshold from kernel_outbox"
        " where topic in ('catalog.stock_low', 'catalog.stock_recovered') order by id"
    )
    return [(row["topic"].removeprefix("catalog.stock_"), row["sku"], row["threshold"]) for row in rows]


async def watch(shop: Shop, variant: UUID, threshold: int | None) -> None:
    """Set a variant's threshold."""
    await shop.kernel.db.execute(
        "update catalog_variant set low_stock = $2 where id = $1", variant, threshold
    )


async def test_each_crossing_raises_one_alert(make_kernel: Kernels) -> None:
    # Given a variant with twelve cards, of which fewer than ten are few
    shop = Shop(await make_kernel([catalog], catalog={"low_stock": 10}))
    variant = await shop.stocked(cards=12)
    await check_moved_stock(shop.kernel)
    assert await events(shop) == []
    # When it falls below, however often somebody looks
    await take(shop, variant, 3)
    await asyncio.gather(*(check_moved_stock(shop.kernel) for _ in range(4)))
    await take(shop, variant, 2)
    await check_moved_stock(shop.kernel)
    # Then it is told once
    assert await events(shop) == [("low", "A-1", 10)]
    alert = await shop.kernel.db.fetchrow("select * from catalog_stock_alert")
    assert alert is not None
    assert (alert["threshold"], alert["available"], alert["ended_at"]) == (10, 9, None)
    # When cards come, it is told that there are enough
    await shop.cards("A-1", 3)
    await asyncio.gather(*(check_moved_stock(shop.kernel) for _ in range(4)))
    assert (await events(shop))[1:] == [("recovered", "A-1", 10)]
    # and the next fall is another one
    await take(shop, variant)
    await check_all_stock(shop.kernel)
    assert (await events(shop))[2:] == [("low", "A-1", 10)]
    assert (await shop.sizes())["stock_alert"] == 2


async def test_each_variant_may_have_its_own_threshold(shop: Shop) -> None:
    for sku, threshold in (("A-1", 3), ("A-2", 2), ("A-3", 0), ("A-4", None)):
        await watch(shop, await shop.stocked(sku, 2), threshold)
    await check_moved_stock(shop.kernel)
    assert sorted(await events(shop)) == [("low", "A-1", 3), ("low", "A-4", 10)]
    # When a threshold is taken away, the alert ends without a word
    await watch(shop, await shop.key("A-1"), 0)
    await check_moved_stock(shop.kernel)
    assert len(await events(shop)) == 2
    assert (
        await shop.kernel.db.fetchval("select count(*) from catalog_stock_alert where ended_at is null") == 1
    )


async def test_every_kind_of_stock_is_watched_but_what_never_runs_out(shop: Shop) -> None:
    number, secret, supplier = await quota(shop, 9), await reusable(shop, 9), await mirrored(shop, 9)
    await shop.stocked("U-1", kind="unlimited")
    await shop.stocked("D-1", status="draft")
    await check_all_stock(shop.kernel)
    assert sorted(sku for _, sku, _ in await events(shop)) == ["Q-1", "R-1", "S-1"]
    for variant in (number, secret):
        await adjust_stock(desk(shop), variant, "more", by=1)
    await shop.stock.mirror({supplier: 10})
    await check_moved_stock(shop.kernel)
    assert sorted(sku for kind, sku, _ in await events(shop) if kind == "recovered") == ["Q-1", "R-1", "S-1"]


async def test_many_variants_are_looked_at_in_chunks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "CHUNK", 2)
    for number in range(5):
        await shop.stocked(f"A-{number}", 1)
    await check_all_stock(shop.kernel)
    await check_moved_stock(shop.kernel)
    assert len(await events(shop)) == 5


async def test_who_has_seen_an_alert_is_written_down_once(shop: Shop) -> None:
    await shop.stocked(cards=1)
    await check_moved_stock(shop.kernel)
    key = await shop.kernel.db.fetchval("select id from catalog_stock_alert")
    await acknowledge(desk(shop), key)
    first = await shop.kernel.db.fetchrow("select acknowledged_at, acknowledged_by from catalog_stock_alert")
    await acknowledge(desk(shop), key)
    assert (
        await shop.kernel.db.fetchrow("select acknowledged_at, acknowledged_by from catalog_stock_alert")
        == first
    )
    with pytest.raises(NotFound):
        await acknowledge(desk(shop), new_id())
