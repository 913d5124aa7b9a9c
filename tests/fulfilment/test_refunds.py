"""Paying orders back: whole and in part, before and after their delivery."""

from __future__ import annotations

import asyncio

import pytest

from kameng.errors import Conflict, InvalidInput, Refusal
from kameng.ids import new_id
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.refund_parts import RefundedLine, RefundTooMuch
from kameng_fulfilment.refunding import RefundMade, refund_order
from kameng_fulfilment.states import WrongOrderState

from . import lives
from .conftest import Shop


async def refund(shop: Shop, order, *wanted: RefundedLine, key: str | None = None) -> RefundMade:
    return await refund_order(
        shop.kernel, order, wanted, key=key or str(new_id()), actor="staff:x", reason="sorry"
    )


async def test_a_whole_order_is_refunded_and_its_cards_stay_sold(shop: Shop) -> None:
    # Given a delivered order
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann = await shop.member("10")
    order = await lives.place(shop, ann, (variant, 2), outside=False)
    # When all of it is refunded
    made = await refund(shop, order)
    # Then the money is back, the order over, and no card is for sale again
    assert made.amount_minor == 1000
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("REFUNDED", "10.00")
    (line,) = await lives.lines(shop, order)
    assert (line.delivery_state, line.withdrawn_quantity, line.refunded_quantity) == ("REFUNDED", 0, 2)
    assert (await lives.sold(shop), await lives.free(shop)) == (2, 0)
    with pytest.raises(WrongOrderState):
        await refund(shop, order)


async def test_pieces_and_amounts_add_up_to_what_was_paid(shop: Shop) -> None:
    # Given three pieces for 10.00 in all, which do not divide
    variant = await shop.stock("CARD", "3.3333", ["a", "b", "c"])
    ann = await shop.member("10")
    order = await lives.place(shop, ann, (variant, 3), outside=False)
    (line,) = await lives.lines(shop, order)
    assert await shop.balance(ann) == "0.00"
    # When they are refunded one by one
    amounts = [
        (await refund(shop, order, RefundedLine(line=line.id, quantity=1))).amount_minor for _ in range(3)
    ]
    # Then the last one takes what is left over
    assert amounts == [333, 333, 334]
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("REFUNDED", "10.00")


async def test_an_amount_takes_no_piece_back_until_nothing_is_left(shop: Shop) -> None:
    one, two = await shop.stock("ONE", "4", ["a"]), await shop.stock("TWO", "6", ["b"])
    ann = await shop.member("10")
    order = await lives.place(shop, ann, (one, 1), (two, 1), outside=False)
    first, second = await lives.lines(shop, order)
    await refund(shop, order, RefundedLine(line=first.id, amount_minor=150))
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("COMPLETED", "1.50")
    with pytest.raises(RefundTooMuch):
        await refund(shop, order, RefundedLine(line=first.id, amount_minor=251))
    made = await refund(shop, order, RefundedLine(line=first.id), RefundedLine(line=second.id))
    assert made.amount_minor == 850
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("REFUNDED", "10.00")


async def test_what_cannot_be_refunded_changes_nothing(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b", "c"])
    ann = await shop.member("10")
    order = await lives.place(shop, ann, (variant, 2), outside=False)
    (line,) = await lives.lines(shop, order)
    for wrong, refusal in (
        ([RefundedLine(line=line.id, quantity=3)], RefundTooMuch),
        ([RefundedLine(line=line.id, quantity=0)], InvalidInput),
        ([RefundedLine(line=line.id, amount_minor=-1)], InvalidInput),
        ([RefundedLine(line=line.id, quantity=1, amount_minor=1)], InvalidInput),
        ([RefundedLine(line=line.id, quantity=1), RefundedLine(line=line.id, quantity=1)], InvalidInput),
        ([RefundedLine(line=new_id())], InvalidInput),
    ):
        with pytest.raises(refusal):
            await refund(shop, order, *wrong)
    unpaid = await lives.place(shop, ann, (variant, 1))
    with pytest.raises(WrongOrderState):
        await refund(shop, unpaid)
    assert await shop.balance(ann) == "0.00"


async def test_the_same_refund_twice_is_one(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann = await shop.member("10")
    order = await lives.place(shop, ann, (variant, 2), outside=False)
    (line,) = await lives.lines(shop, order)
    wanted = RefundedLine(line=line.id, quantity=1)
    made = await asyncio.gather(*(refund(shop, order, wanted, key="k") for _ in range(6)))
    assert sum(each.fresh for each in made) == 1
    assert await shop.balance(ann) == "5.00"
    with pytest.raises(Conflict):
        await refund(shop, order, RefundedLine(line=line.id, amount_minor=500), key="k")


async def test_refunds_at_once_never_pay_back_more_than_was_paid(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(4)])
    ann = await shop.member("20")
    order = await lives.place(shop, ann, (variant, 4), outside=False)
    (line,) = await lives.lines(shop, order)
    answers = await asyncio.gather(
        *(refund(shop, order, RefundedLine(line=line.id, quantity=1)) for _ in range(5)),
        *(refund(shop, order, RefundedLine(line=line.id, amount_minor=700)) for _ in range(3)),
        refund(shop, order),
        return_exceptions=True,
    )
    assert all(isinstance(a, RefundMade | Refusal) for a in answers)
    stored = await lives.stored(shop, order)
    assert stored.refunded_minor == sum(a.amount_minor for a in answers if isinstance(a, RefundMade)) == 2000
    assert (stored.state, await shop.balance(ann)) == ("REFUNDED", "20.00")


async def test_what_was_not_delivered_is_withdrawn_and_the_order_is_done(shop: Shop) -> None:
    # Given an order of a card and something that people deliver, of which one of three is delivered
    card, service = await shop.stock("CARD", "4", ["a"]), await shop.stock("SERVICE", "2", ["x", "y", "z"])
    await lives.delivery(shop, service, "manual")
    ann = await shop.member("10")
    order = await lives.place(shop, ann, (card, 1), (service, 3), outside=False)
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("PARTLY_DELIVERED", "0.00")
    _, line = await lives.lines(shop, order)
    await shop.kernel.services.get(Deliveries).delivered(line.id, ["done"], "staff:x", 1)
    # When two are refunded
    made = await refund(shop, order, RefundedLine(line=line.id, quantity=2))
    # Then those that wait go, and nothing is owed any more
    assert made.amount_minor == 400
    _, line = await lives.lines(shop, order)
    assert (line.delivery_state, line.delivered_quantity, line.withdrawn_quantity) == ("DELIVERED", 1, 2)
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("COMPLETED", "4.00")
    completed = await shop.kernel.db.fetchval(
        "select payload->>'total_minor' from kernel_outbox where topic = 'fulfilment.order_completed'"
    )
    assert completed == "600"
