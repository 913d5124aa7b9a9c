"""A part of what was counted down for a line and not delivered is refunded: so much of it is for sale again, once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from kameng.errors import Refusal
from kameng.ids import new_id
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.holding import hold, release
from kameng_fulfilment.refund_parts import RefundedLine, RefundTooMuch
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.unpaid import cancel_unpaid

from . import lives
from .conftest import Shop


async def refund(shop: Shop, order: UUID, line: UUID, quantity: int, key: str | None = None) -> None:
    wanted = [RefundedLine(line=line, quantity=quantity)]
    await refund_order(shop.kernel, order, wanted, key=key or str(new_id()), actor="staff:x", reason="sorry")


async def moved(shop: Shop, variant: UUID) -> int:
    """What all movements of a variant add up to."""
    total: int = await shop.kernel.db.fetchval(
        "select coalesce(sum(quantity), 0)::bigint from catalog_stock_movement where variant = $1", variant
    )
    return total


async def test_refunded_pieces_of_an_undelivered_line_are_for_sale_again_once(shop: Shop) -> None:
    # Given five of ten pieces that people are to deliver
    variant = await lives.quota(shop, 10)
    ann = await shop.member("100")
    order = await lives.place(shop, ann, (variant, 5), outside=False)
    (line,) = await lives.lines(shop, order)
    assert await lives.left(shop, variant) == 5
    # When two of them are refunded, by a request that comes three times at once
    await asyncio.gather(*(refund(shop, order, line.id, 2, key="same") for _ in range(3)))
    # Then these two are for sale again
    assert (await lives.left(shop, variant), await moved(shop, variant)) == (7, -3)
    # And one more, and the rest with the whole order
    await refund(shop, order, line.id, 1)
    assert await lives.left(shop, variant) == 8
    await refund_order(shop.kernel, order, [], key="rest", actor="staff:x", reason="sorry")
    assert (await lives.left(shop, variant), await moved(shop, variant)) == (10, 0)
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("REFUNDED", "100.00")


async def test_delivered_pieces_stay_sold(shop: Shop) -> None:
    # Given a line of which three of five pieces were delivered
    variant = await lives.quota(shop, 5)
    order = await lives.place(shop, await shop.member("100"), (variant, 5), outside=False)
    (line,) = await lives.lines(shop, order)
    await shop.kernel.services.get(Deliveries).delivered(line.id, ["done"], "staff:x", 3)
    # When four are refunded
    await refund(shop, order, line.id, 4)
    # Then the two that were not delivered are for sale again
    assert (await lives.left(shop, variant), await lives.state(shop, order)) == (2, "COMPLETED")
    await refund(shop, order, line.id, 1)
    assert await lives.left(shop, variant) == 2


async def test_a_held_line_keeps_what_is_still_owed(shop: Shop) -> None:
    # Given an order that was held before it was paid, so that its pieces are kept for it and not sold yet
    variant = await lives.quota(shop, 6)
    order = await lives.place(shop, await shop.member("100"), (variant, 5))
    await hold(shop.kernel, order, "staff:x", "look at it")
    await lives.pay(shop, order, 2500)
    assert (await lives.state(shop, order), await lives.left(shop, variant)) == ("REVIEW", 1)
    (line,) = await lives.lines(shop, order)
    # When a part of it is refunded
    await refund(shop, order, line.id, 2)
    # Then only that part is for sale again, before and after it goes on
    assert (await lives.left(shop, variant), await moved(shop, variant)) == (3, -3)
    await release(shop.kernel, order, "staff:x", "fine")
    assert await lives.left(shop, variant) == 3
    await shop.kernel.services.get(Deliveries).delivered(line.id, ["done"], "staff:x", 3)
    assert (await lives.state(shop, order), await lives.left(shop, variant)) == ("COMPLETED", 3)


async def test_refunds_at_once_never_give_back_more_than_there_was(shop: Shop) -> None:
    for turn in range(5):
        variant = await lives.quota(shop, 6, sku=f"QUOTA-{turn}")
        order = await lives.place(shop, await shop.member("100"), (variant, 6), outside=False)
        (line,) = await lives.lines(shop, order)
        # When four requests of two pieces each meet
        answers = await asyncio.gather(
            *(refund(shop, order, line.id, 2) for _ in range(4)), return_exceptions=True
        )
        # Then three of them are carried out
        refused = [answer for answer in answers if answer is not None]
        assert len(refused) == 1
        assert isinstance(refused[0], Refusal)
        assert await lives.left(shop, variant) == 6


async def test_an_unpaid_order_gives_all_back_when_it_is_called_off(shop: Shop) -> None:
    variant = await lives.quota(shop, 6)
    order = await lives.place(shop, await shop.member("100"), (variant, 5))
    await cancel_unpaid(shop.kernel, order, "staff:x")
    assert await lives.left(shop, variant) == 6
    (line,) = await lives.lines(shop, order)
    with pytest.raises(Refusal):
        await refund(shop, order, line.id, 1)
    assert await lives.left(shop, variant) == 6


async def test_more_than_was_bought_is_refused(shop: Shop) -> None:
    variant = await lives.quota(shop, 6)
    order = await lives.place(shop, await shop.member("100"), (variant, 2), outside=False)
    (line,) = await lives.lines(shop, order)
    with pytest.raises(RefundTooMuch):
        await refund(shop, order, line.id, 3)
    assert await lives.left(shop, variant) == 4
