"""Orders that are paid from outside: reserved, paid on time, late, too little, too much, twice, or not at all."""

from __future__ import annotations

import asyncio

import pytest

from kameng.errors import Conflict, NotFound
from kameng.ids import new_id
from kameng.money import Money
from kameng_catalog.contract import OutOfStock
from kameng_fulfilment.contract import PaymentOutcome, Payments
from kameng_fulfilment.states import WrongOrderState
from kameng_fulfilment.unpaid import TooManyUnpaidOrders, cancel_unpaid, expire_unpaid

from . import lives
from .conftest import Shop


async def test_an_order_for_outside_payment_keeps_its_stock_until_it_is_paid(shop: Shop) -> None:
    # Given one card, kept for an order that is not paid
    variant = await shop.stock("CARD", "9.85", ["SECRET"])
    ann, bob = await shop.member(), await shop.member("100")
    order = await lives.place(shop, ann, (variant, 1))
    assert await lives.state(shop, order) == "PENDING_PAYMENT"
    assert await lives.events(shop, order) == ["order_placed"]
    # Then nobody else gets it
    assert (await shop.buy(bob, (variant, 1)))["errors"][0]["code"] == "OUT_OF_STOCK"
    assert await lives.sold(shop) == 0
    # When it is paid, then it is delivered
    taken = await lives.pay(shop, order, 985)
    assert (taken.outcome, taken.fresh) == (PaymentOutcome.PAID, True)
    assert await lives.state(shop, order) == "COMPLETED"
    assert (await lives.sold(shop), await shop.balance(ann)) == (1, "0.00")
    assert await lives.events(shop, order) == [
        "order_placed",
        "order_paid",
        "order_line_delivered",
        "order_completed",
    ]


async def test_the_same_order_asked_for_twice_reserves_once(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a", "b"])
    ann = await shop.member()
    first, again = await asyncio.gather(*(lives.place(shop, ann, (variant, 1), key="k") for _ in range(2)))
    assert first == again == await lives.place(shop, ann, (variant, 1), key="k")
    assert await lives.free(shop) == 1
    # And the same order from the wallet is another one
    with pytest.raises(Conflict):
        await lives.place(shop, ann, (variant, 1), key="k", outside=False)


async def test_what_costs_nothing_is_delivered_at_once(shop: Shop) -> None:
    variant = await shop.stock("FREE", "0", ["a"], cost="0")
    order = await lives.place(shop, await shop.member(), (variant, 1))
    assert await lives.state(shop, order) == "COMPLETED"


async def test_a_payment_told_of_again_changes_nothing(shop: Shop) -> None:
    # Given a paid order, and more cards
    variant = await shop.stock("CARD", "5", ["a", "b", "c"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    first = await lives.pay(shop, order, 500, "T-1")
    # When its notification comes again, then it is answered alike, and nothing more is sold or credited
    again = await lives.pay(shop, order, 500, "T-1")
    assert (again.outcome, again.transaction, again.fresh) == (first.outcome, first.transaction, False)
    assert (await lives.sold(shop), await shop.balance(ann)) == (1, "0.00")
    # And a second payment of its own is the buyer's money
    second = await lives.pay(shop, order, 500, "T-2")
    assert second.outcome is PaymentOutcome.CREDITED
    assert (await lives.sold(shop), await shop.balance(ann)) == (1, "5.00")


async def test_a_payment_counts_for_the_order_it_was_made_for(shop: Shop) -> None:
    # Given two orders of the same price
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann, bob = await shop.member(), await shop.member()
    one, other = await lives.place(shop, ann, (variant, 1)), await lives.place(shop, bob, (variant, 1))
    await lives.pay(shop, one, 500, "T-1")
    # When its payment is replayed on the other one, or with another amount
    for order, minor in ((other, 500), (one, 501)):
        with pytest.raises(Conflict):
            await lives.pay(shop, order, minor, "T-1")
    # Then nothing happened; the same number at another gateway is another payment
    assert await lives.state(shop, other) == "PENDING_PAYMENT"
    assert (await lives.pay(shop, other, 500, "T-1", "wechat:1")).outcome is PaymentOutcome.PAID
    with pytest.raises(NotFound):
        await lives.pay(shop, new_id(), 500)


async def test_too_little_waits_in_the_wallet_for_the_rest(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a"])
    ann = await shop.member("100")
    order = await lives.place(shop, ann, (variant, 1))
    # When 2.00 come in, then the rest is not taken from the wallet, although it is there
    assert (await lives.pay(shop, order, 200)).outcome is PaymentOutcome.UNDERPAID
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("PENDING_PAYMENT", "102.00")
    # When the rest comes with a bit more, then the order is paid and the bit stays
    assert (await lives.pay(shop, order, 310)).outcome is PaymentOutcome.PAID
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("COMPLETED", "100.10")


async def test_a_part_that_was_spent_meanwhile_is_missing(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    await lives.pay(shop, order, 499)
    await shop.stock("CHEAP", "4", ["x"])
    cheap = await shop.kernel.db.fetchval("select id from catalog_variant where sku = 'CHEAP'")
    assert (await shop.buy(ann, (cheap, 1)))["errors"] == []
    assert (await lives.pay(shop, order, 1)).outcome is PaymentOutcome.UNDERPAID
    assert await lives.state(shop, order) == "PENDING_PAYMENT"


async def test_money_of_another_currency_is_the_buyers(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a"])
    order = await lives.place(shop, await shop.member(), (variant, 1))
    payments = shop.kernel.services.get(Payments)
    taken = await payments.paid(order, Money(500, "USD"), "manual", "T-1")
    assert taken.outcome is PaymentOutcome.UNDERPAID
    assert await lives.state(shop, order) == "PENDING_PAYMENT"


async def test_an_order_that_is_not_paid_expires_and_gives_its_stock_back(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b"])
    late, early = [await lives.place(shop, await shop.member(), (variant, 1)) for _ in range(2)]
    await lives.overdue(shop, late)
    # When two schedulers look at once
    await asyncio.gather(expire_unpaid(shop.kernel), expire_unpaid(shop.kernel))
    # Then the one is over, once, and its card for sale; the other one waits on
    assert await lives.state(shop, late) == "EXPIRED"
    assert await lives.state(shop, early) == "PENDING_PAYMENT"
    assert await lives.events(shop, late) == ["order_placed", "order_expired"]
    assert (await shop.buy(await shop.member("5"), (variant, 1)))["errors"] == []


async def test_many_expire_together_in_a_constant_number_of_statements(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(120)])
    for _ in range(24):
        ann = await shop.member()
        await asyncio.gather(*(lives.place(shop, ann, (variant, 1)) for _ in range(5)))
    await shop.kernel.db.execute("update fulfilment_order set reserved_until = now() - interval '1 minute'")
    await asyncio.gather(*(expire_unpaid(shop.kernel) for _ in range(3)))
    states = await shop.kernel.db.fetch("select state, count(*) from fulfilment_order group by 1")
    assert [tuple(row) for row in states] == [("EXPIRED", 120)]
    assert await lives.free(shop) == 120
    assert await shop.kernel.db.fetchval("select count(*) from catalog_reserved_card") == 0


async def test_a_late_payment_is_delivered_if_stock_remains(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 2))
    await lives.overdue(shop, order)
    await expire_unpaid(shop.kernel)
    assert (await lives.pay(shop, order, 1000)).outcome is PaymentOutcome.PAID_LATE
    assert (await lives.state(shop, order), await lives.sold(shop)) == ("COMPLETED", 2)
    assert (await lives.events(shop, order))[-3:] == ["order_paid", "order_line_delivered", "order_completed"]


async def test_a_late_payment_without_stock_is_credited(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 2))
    await lives.overdue(shop, order)
    await expire_unpaid(shop.kernel)
    assert (await shop.buy(await shop.member("5"), (variant, 1)))["errors"] == []
    # When one of the two is gone, then nothing is delivered and the money is there
    assert (await lives.pay(shop, order, 1000)).outcome is PaymentOutcome.CREDITED
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("EXPIRED", "10.00")
    notes = await shop.kernel.db.fetch(
        "select note, amount_minor from fulfilment_order_history where order_id = $1 and kind = 'payment'",
        order,
    )
    assert [tuple(row) for row in notes] == [("the payment was put into the wallet", 1000)]


async def test_a_payment_that_meets_an_order_whose_time_is_over_but_not_swept_is_on_time(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a"])
    order = await lives.place(shop, await shop.member(), (variant, 1))
    await lives.overdue(shop, order)
    assert (await lives.pay(shop, order, 500)).outcome is PaymentOutcome.PAID


async def test_a_cancelled_order_gives_its_stock_back_and_credits_what_is_paid_for_it(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    await cancel_unpaid(shop.kernel, order, "member:ann")
    assert (await lives.state(shop, order), await lives.free(shop)) == ("CANCELLED", 1)
    assert (await lives.pay(shop, order, 500)).outcome is PaymentOutcome.CREDITED
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("CANCELLED", "5.00")
    # A cancelled order, or a paid one, is not called off
    with pytest.raises(WrongOrderState):
        await cancel_unpaid(shop.kernel, order, "member:ann")
    assert await lives.events(shop, order) == ["order_placed", "order_cancelled"]


async def test_nobody_reserves_the_shop_empty(shop: Shop) -> None:
    # Given a buyer with as many unpaid orders as the shop allows
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(20)])
    ann = await shop.member()
    outcomes = await asyncio.gather(
        *(lives.place(shop, ann, (variant, 1)) for _ in range(12)), return_exceptions=True
    )
    placed = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(placed) == 5
    assert all(isinstance(o, TooManyUnpaidOrders) for o in outcomes if isinstance(o, BaseException))
    assert await lives.free(shop) == 15
    # Then another buyer is free to order, and one that is over makes room
    await lives.place(shop, await shop.member(), (variant, 1))
    await cancel_unpaid(shop.kernel, placed[0], "member:ann")
    await lives.overdue(shop, placed[1])
    await lives.place(shop, ann, (variant, 1))
    await lives.place(shop, ann, (variant, 1))
    with pytest.raises(TooManyUnpaidOrders):
        await lives.place(shop, ann, (variant, 1))


async def test_short_stock_refuses_the_reservation(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a"])
    before = await shop.state()
    with pytest.raises(OutOfStock):
        await lives.place(shop, await shop.member(), (variant, 2))
    assert await shop.state() == before


async def test_a_payment_told_of_by_many_at_once_sells_once(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b", "c"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    taken = await asyncio.gather(*(lives.pay(shop, order, 500, "T-1") for _ in range(8)))
    assert sum(each.fresh for each in taken) == 1
    assert {each.outcome for each in taken} == {PaymentOutcome.PAID}
    assert (await lives.sold(shop), await shop.balance(ann)) == (1, "0.00")


async def test_payment_expiry_and_cancellation_at_once_leave_one_end(shop: Shop) -> None:
    # Given twelve overdue orders with a card each
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(12)])
    members = [await shop.member() for _ in range(12)]
    orders = [await lives.place(shop, member, (variant, 1)) for member in members]
    for order in orders:
        await lives.overdue(shop, order)
    # When each is paid, cancelled and swept at once
    answers = await asyncio.gather(
        *(lives.pay(shop, order, 500) for order in orders),
        *(cancel_unpaid(shop.kernel, order, "member:x") for order in orders),
        expire_unpaid(shop.kernel),
        expire_unpaid(shop.kernel),
        return_exceptions=True,
    )
    assert all(isinstance(a, WrongOrderState) for a in answers if isinstance(a, BaseException))
    # Then each is either delivered for its money, or over with the money in the wallet
    for member, order in zip(members, orders, strict=True):
        end = (await lives.state(shop, order), await shop.balance(member))
        assert end in (("COMPLETED", "0.00"), ("CANCELLED", "5.00"), ("EXPIRED", "5.00"))
    completed = [order for order in orders if await lives.state(shop, order) == "COMPLETED"]
    assert await lives.sold(shop) == len(completed)
    assert await lives.free(shop) == 12 - len(completed)
