"""Delivering what was paid: by hand, in part, after restock, while held, and when it fails."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from kameng.errors import InvalidInput, NotFound
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels
from kameng_catalog.contract import CardsImported, Stock
from kameng_fulfilment.contract import Deliveries, PaymentOutcome
from kameng_fulfilment.delivering import deliver_after_import, deliver_waiting
from kameng_fulfilment.exceptions import refund_failed
from kameng_fulfilment.holding import hold, release
from kameng_fulfilment.refund_parts import RefundedLine
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.states import ALLOWED, WrongDeliveryState, WrongOrderState, move

from . import lives
from .conftest import Shop


def deliveries(kernel: Kernel) -> Deliveries:
    return kernel.services.get(Deliveries)


async def short(shop: Shop, wanted: int, kept: int) -> UUID:
    """A paid order of ``wanted`` cards whose reservation was broken: ``kept`` of its cards are still for sale."""
    variant = await shop.stock("SHORT", "2", [f"s{n}" for n in range(wanted)])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, wanted))
    await hold(shop.kernel, order, "staff:x", "looks odd")
    assert (await lives.pay(shop, order, 200 * wanted)).outcome is PaymentOutcome.PAID
    line = (await lives.lines(shop, order))[0].id
    async with shop.kernel.db.transaction():
        await shop.kernel.services.get(Stock).release([line])
        await shop.kernel.db.execute(
            """delete from catalog_free_card where variant = $1 and card in (
                   select card from catalog_free_card where variant = $1 order by card limit $2)""",
            variant,
            wanted - kept,
        )
    return order


async def test_lines_that_people_deliver_wait_for_them(shop: Shop) -> None:
    # Given an order of a card and of something that people deliver
    card, service = await shop.stock("CARD", "4", ["a"]), await shop.stock("SERVICE", "2", ["x", "y"])
    await lives.delivery(shop, service, "manual")
    ann = await shop.member("10")
    order = await lives.place(shop, ann, (card, 1), (service, 2), outside=False)
    first, line = await lives.lines(shop, order)
    assert (first.delivery_state, line.delivery_state) == ("DELIVERED", "PENDING")
    assert await lives.state(shop, order) == "PARTLY_DELIVERED"
    assert await lives.events(shop, order) == ["order_placed", "order_paid"]
    # When somebody begins, and delivers one and then the other
    by = deliveries(shop.kernel)
    await by.started(line.id, "staff:x")
    await by.started(line.id, "staff:x")
    await by.delivered(line.id, ["code one"], "staff:x", 1)
    assert (await lives.lines(shop, order))[1].delivery_state == "PARTLY_DELIVERED"
    await by.delivered(line.id, ["code two", "thanks"], "staff:x")
    # Then the order is done, once
    assert await lives.state(shop, order) == "COMPLETED"
    assert (await lives.events(shop, order))[2:] == [
        "order_line_delivered",
        "order_line_delivered",
        "order_completed",
    ]
    # And nothing stands in clear in the database
    sealed = await shop.kernel.db.fetch(
        "select sealed from fulfilment_delivered_text where line = $1", line.id
    )
    assert len(sealed) == 3
    assert all(b"code" not in row["sealed"] for row in sealed)
    with pytest.raises(WrongDeliveryState):
        await by.delivered(line.id, [], "staff:x")


async def test_a_delivery_told_of_twice_at_once_counts_once(shop: Shop) -> None:
    service = await shop.stock("SERVICE", "2", ["x"])
    await lives.delivery(shop, service, "supplier")
    order = await lives.place(shop, await shop.member("2"), (service, 1), outside=False)
    (line,) = await lives.lines(shop, order)
    answers = await asyncio.gather(
        *(deliveries(shop.kernel).delivered(line.id, [f"code {n}"], "supplier:x") for n in range(5)),
        return_exceptions=True,
    )
    assert sum(answer is None for answer in answers) == 1
    assert all(isinstance(a, WrongDeliveryState) for a in answers if a is not None)
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_delivered_text") == 1


async def test_only_what_is_owed_can_be_delivered(shop: Shop) -> None:
    service = await shop.stock("SERVICE", "2", ["x", "y"])
    await lives.delivery(shop, service, "manual")
    unpaid = await lives.place(shop, await shop.member(), (service, 1))
    (line,) = await lives.lines(shop, unpaid)
    by = deliveries(shop.kernel)
    for call in (by.started(line.id, "x"), by.delivered(line.id, [], "x"), by.failed(line.id, "no", "x")):
        with pytest.raises(WrongDeliveryState):
            await call
    await lives.pay(shop, unpaid, 200)
    with pytest.raises(WrongDeliveryState):
        await by.delivered(line.id, [], "x", 2)
    with pytest.raises(InvalidInput):
        await by.delivered(line.id, [""], "x")
    with pytest.raises(NotFound):
        await by.delivered(new_id(), [], "x")


async def test_a_held_order_is_paid_and_waits(shop: Shop) -> None:
    # Given an order that is held before it is paid
    variant = await shop.stock("CARD", "5", ["a"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    await hold(shop.kernel, order, "staff:x", "looks odd")
    assert await lives.state(shop, order) == "PENDING_PAYMENT"
    # When it is paid, then the money is taken and nothing is delivered
    assert (await lives.pay(shop, order, 500)).outcome is PaymentOutcome.PAID
    assert (await lives.state(shop, order), await lives.sold(shop)) == ("REVIEW", 0)
    # When it is let go, then its card, which was kept, is delivered
    await release(shop.kernel, order, "staff:x", "fine")
    assert (await lives.state(shop, order), await lives.sold(shop)) == ("COMPLETED", 1)
    assert await lives.events(shop, order) == [
        "order_placed",
        "order_paid",
        "order_held",
        "order_line_delivered",
        "order_released",
        "order_completed",
    ]
    with pytest.raises(WrongOrderState):
        await release(shop.kernel, order, "staff:x", "again")
    with pytest.raises(WrongOrderState):
        await hold(shop.kernel, order, "staff:x", "too late")


async def test_a_held_order_that_is_refunded_gives_its_stock_back(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    await hold(shop.kernel, order, "staff:x", "odd")
    await lives.pay(shop, order, 500)
    await refund_order(shop.kernel, order, [], key="k", actor="staff:x", reason="fraud")
    assert (await lives.state(shop, order), await lives.free(shop), await lives.sold(shop)) == (
        "REFUNDED",
        1,
        0,
    )
    assert await shop.balance(ann) == "5.00"


async def test_what_is_delivered_during_a_review_does_not_end_it(shop: Shop) -> None:
    service = await shop.stock("SERVICE", "2", ["x"])
    await lives.delivery(shop, service, "supplier")
    order = await lives.place(shop, await shop.member("2"), (service, 1), outside=False)
    await hold(shop.kernel, order, "staff:x", "looks odd")
    (line,) = await lives.lines(shop, order)
    await deliveries(shop.kernel).delivered(line.id, ["code"], "supplier:x")
    assert await lives.state(shop, order) == "REVIEW"
    await release(shop.kernel, order, "staff:x", "fine")
    assert await lives.state(shop, order) == "COMPLETED"


async def test_release_and_refund_at_once_deliver_or_pay_back(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(6)])
    members = [await shop.member() for _ in range(6)]
    orders = [await lives.place(shop, member, (variant, 1)) for member in members]
    for order in orders:
        await hold(shop.kernel, order, "staff:x", "odd")
        await lives.pay(shop, order, 500)
    answers = await asyncio.gather(
        *(release(shop.kernel, order, "staff:x", "fine") for order in orders),
        *(refund_order(shop.kernel, order, [], key="k", actor="staff:y", reason="odd") for order in orders),
        return_exceptions=True,
    )
    assert all(isinstance(a, WrongOrderState) for a in answers if isinstance(a, BaseException))
    # All are paid back; those that were let go first are delivered as well, and no card is both sold and free
    assert [await shop.balance(member) for member in members] == ["5.00"] * 6
    assert [await lives.state(shop, order) for order in orders] == ["REFUNDED"] * 6
    assert await lives.sold(shop) + await lives.free(shop) == 6


async def test_what_is_short_is_delivered_in_part_and_the_rest_after_restock(shop: Shop) -> None:
    # Given a paid order of three cards, of which one is left
    order = await short(shop, 3, 1)
    await release(shop.kernel, order, "staff:x", "fine")
    (line,) = await lives.lines(shop, order)
    assert (line.delivery_state, line.delivered_quantity) == ("PARTLY_DELIVERED", 1)
    assert await lives.state(shop, order) == "PARTLY_DELIVERED"
    # When nothing comes, then nothing changes
    await deliver_waiting(shop.kernel)
    assert await lives.sold(shop) == 1
    # When five come, and several workers look at once, then two are delivered, once
    await shop.add_cards("SHORT", [f"new{n}" for n in range(5)])
    assert await lives.sold(shop) == 1
    await asyncio.gather(*(deliver_waiting(shop.kernel) for _ in range(4)))
    assert (await lives.state(shop, order), await lives.sold(shop), await lives.free(shop)) == (
        "COMPLETED",
        3,
        3,
    )
    assert (await lives.events(shop, order)).count("order_completed") == 1


async def test_the_oldest_orders_get_first(shop: Shop) -> None:
    # Given three orders of two cards of one variant, none of which is left
    variant = await shop.stock("CARD", "2", [f"c{n}" for n in range(6)])
    orders = [await lives.place(shop, await shop.member(), (variant, 2)) for _ in range(3)]
    for order in orders:
        await hold(shop.kernel, order, "staff:x", "odd")
        await lives.pay(shop, order, 400)
    async with shop.kernel.db.transaction():
        keys = [(await lives.lines(shop, order))[0].id for order in orders]
        await shop.kernel.services.get(Stock).release(keys)
        await shop.kernel.db.execute("delete from catalog_free_card")
    for order in reversed(orders):
        await release(shop.kernel, order, "staff:x", "fine")
    assert [await lives.state(shop, order) for order in orders] == ["PAID"] * 3
    # When three come, then the first order is done and the second has one
    await shop.add_cards("CARD", ["n1", "n2", "n3"])
    await deliver_waiting(shop.kernel)
    assert [await lives.state(shop, order) for order in orders] == ["COMPLETED", "PARTLY_DELIVERED", "PAID"]


async def test_an_import_has_what_waits_delivered(shop: Shop) -> None:
    async with shop.kernel.db.transaction():
        await deliver_after_import(shop.kernel, CardsImported(batch=str(new_id()), counts={"CARD": 1}))
    tasks = await shop.kernel.db.fetch(
        "select name from kernel_task where name = 'fulfilment.deliver_waiting'"
    )
    assert len(tasks) == 1


async def test_a_failed_line_waits_for_a_person_unless_the_shop_refunds(make_kernel: Kernels) -> None:
    for minutes, state in ((0, "PAID"), (30, "REFUNDED")):
        # Given a shop with its rule, and a line that could not be delivered an hour ago
        shop = Shop(await make_kernel(fulfilment={"refund_failed_minutes": minutes}))
        service = await shop.stock("SERVICE", "2", ["x", "y"])
        await lives.delivery(shop, service, "supplier")
        ann = await shop.member("4")
        order = await lives.place(shop, ann, (service, 1), outside=False)
        fresh = await lives.place(shop, ann, (service, 1), outside=False)
        for each in (order, fresh):
            (line,) = await lives.lines(shop, each)
            await deliveries(shop.kernel).failed(line.id, "no such phone number", "supplier:x")
        await shop.kernel.db.execute(
            "update fulfilment_order_line set failed_at = now() - interval '1 hour' where order_id = $1",
            order,
        )
        # When the worker looks, twice at once
        await asyncio.gather(refund_failed(shop.kernel), refund_failed(shop.kernel))
        # Then the rule holds for the old one alone
        assert await lives.state(shop, order) == state
        assert await lives.state(shop, fresh) == "PAID"
        assert await shop.balance(ann) == ("2.00" if minutes else "0.00")


async def test_a_failed_line_can_be_delivered_after_all(shop: Shop) -> None:
    service = await shop.stock("SERVICE", "2", ["x"])
    await lives.delivery(shop, service, "supplier")
    order = await lives.place(shop, await shop.member("2"), (service, 1), outside=False)
    (line,) = await lives.lines(shop, order)
    by = deliveries(shop.kernel)
    await by.failed(line.id, "no answer", "supplier:x")
    assert (await lives.lines(shop, order))[0].failure == "no answer"
    await by.delivered(line.id, ["code"], "staff:x")
    (line,) = await lives.lines(shop, order)
    assert (line.delivery_state, line.failure) == ("DELIVERED", "")


async def test_pieces_of_a_waiting_line_can_be_refunded_and_the_rest_delivered(shop: Shop) -> None:
    order = await short(shop, 3, 0)
    await release(shop.kernel, order, "staff:x", "fine")
    (line,) = await lives.lines(shop, order)
    await refund_order(
        shop.kernel, order, [RefundedLine(line=line.id, quantity=2)], key="k", actor="staff:x", reason="short"
    )
    await shop.add_cards("SHORT", ["n1", "n2"])
    await deliver_waiting(shop.kernel)
    assert (await lives.state(shop, order), await lives.sold(shop)) == ("COMPLETED", 1)


async def test_there_is_no_other_way_between_states(shop: Shop) -> None:
    # Given an order in each state, then it goes exactly where the table says
    variant = await shop.stock("CARD", "1", ["a"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    for state, allowed in ALLOWED.items():
        for to in ALLOWED:
            await shop.kernel.db.execute("update fulfilment_order set state = $2 where id = $1", order, state)
            if to in allowed:
                async with shop.kernel.db.transaction():
                    assert (await move(shop.kernel, [order], to, "staff:x"))[order].state == to
            else:
                with pytest.raises(WrongOrderState):
                    async with shop.kernel.db.transaction():
                        await move(shop.kernel, [order], to, "staff:x")
    # And the state that nobody may leave is not left by accident
    assert ALLOWED["REFUNDED"] == ALLOWED["CANCELLED"] == frozenset()
