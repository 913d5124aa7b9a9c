"""Ordering at suppliers that behave, and at suppliers that do not: one paid order for each line, and no line forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from kameng.errors import TransactionError
from kameng.money import Money
from kameng.tasks import drain
from kameng_fulfilment.suppliers.connections import open_connection, read_connections
from kameng_fulfilment.suppliers.working import SupplierWork
from tests.fulfilment import lives

from .conftest import Fake, Supplied


async def test_what_a_supplier_delivers_reaches_the_buyer(supplied: Supplied, fake: Fake) -> None:
    # Given goods that a supplier delivers
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "ok-10")
    order, _ = await supplied.order(goods, 2)
    assert await lives.state(supplied, order) == "PAID"
    # When a worker is at it
    await supplied.work()
    # Then the order is complete, and what it cost is known
    assert await lives.state(supplied, order) == "COMPLETED"
    (at,) = await supplied.at_suppliers(order)
    assert (at["state"], at["quantity"], at["charged_minor"], at["their_reference"]) == (
        "DELIVERED",
        2,
        600,
        "N1",
    )
    assert await supplied.texts(order) == [f"code-{at['reference'][-6:]}-{n}" for n in (0, 1)]
    assert (at["attention"], at["sealed"]) == ("", None)


async def test_a_payment_from_outside_wakes_a_worker(supplied: Supplied, fake: Fake) -> None:
    # Given an order that waits for its payment, which no supplier hears of
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "ok-10")
    order = await lives.place(supplied, await supplied.member(), (goods, 1))
    await supplied.work()
    assert fake.calls.total() == 0
    # When it is paid, and the events and tasks that come of it are done
    await lives.pay(supplied, order, 1000)
    await drain(supplied.kernel)
    # Then it is delivered
    assert (await lives.state(supplied, order), len(fake.paid)) == ("COMPLETED", 1)


async def test_nobody_is_called_inside_a_transaction(supplied: Supplied, fake: Fake) -> None:
    key = await supplied.connect(fake)
    supplier = await open_connection(supplied.kernel, (await read_connections(supplied.kernel, [key]))[key])
    assert await supplier.balance() == [Money(8800, "CNY")]
    async with supplied.kernel.db.transaction():
        with pytest.raises(TransactionError):
            await supplier.balance()


async def test_one_that_delivers_later_is_asked(supplied: Supplied, fake: Fake) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "accept-10")
    order, _ = await supplied.order(goods)
    await supplied.work()
    await supplied.later()
    assert (await lives.state(supplied, order), await supplied.states(order)) == ("COMPLETED", ["DELIVERED"])
    assert fake.calls.total() == 1


@pytest.mark.parametrize("mode", ["timeout", "error", "hangup", "unsigned"])
async def test_what_was_taken_without_an_answer_is_asked_about_and_never_sent_twice(
    supplied: Supplied, fake: Fake, mode: str
) -> None:
    # Given a supplier that takes the order and does not say so, and another one that would deliver too
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), f"{mode}-10", priority=1)
    await supplied.offer(goods, await supplied.connect(fake, "Bob's"), "ok-10", priority=2)
    order, _ = await supplied.order(goods)
    # When the worker is at it until nothing is due
    await supplied.work()
    # Then it was asked about, and delivered from the one paid order
    assert (await lives.state(supplied, order), await supplied.states(order)) == ("COMPLETED", ["DELIVERED"])
    assert len(fake.paid) == fake.calls.total() == 1
    assert len(fake.noted("asked")) >= 1


@pytest.mark.parametrize("mode", ["never", "errorbefore"])
async def test_what_was_never_received_goes_to_the_next_supplier(
    supplied: Supplied, fake: Fake, mode: str
) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), f"{mode}-10", priority=1)
    await supplied.offer(goods, await supplied.connect(fake, "Bob's"), "ok-10", priority=2)
    order, _ = await supplied.order(goods)
    await supplied.work()
    await supplied.later()
    assert await supplied.states(order) == ["FAILED", "DELIVERED"]
    assert [row["supplier"] for row in await supplied.at_suppliers(order)] == ["Ann's", "Bob's"]
    assert len(fake.paid) == 1
    assert await lives.state(supplied, order) == "COMPLETED"


async def test_a_supplier_that_never_received_it_is_not_believed_at_once(
    make_kernel, fake: Fake, supplied: Supplied
) -> None:
    # Given a shop that waits for a while before it believes
    shop = Supplied(
        await make_kernel(fulfilment={"supplier_loopback": True, "supplier_silence_seconds": 3_600})
    )
    goods = await shop.goods()
    await shop.offer(goods, await shop.connect(fake), "never-10")
    order, _ = await shop.order(goods)
    # When it is asked, again and again
    await shop.work()
    await shop.later()
    # Then it stays unknown: the request may still be on its way
    assert await shop.states(order) == ["UNKNOWN"]
    assert fake.calls.total() == 1


async def test_one_that_rejects_gives_way_and_the_cheaper_one_of_a_priority_comes_first(
    supplied: Supplied, fake: Fake
) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake, "Dear"), "ok-dear", "5", priority=2)
    await supplied.offer(goods, await supplied.connect(fake, "Cheap"), "ok-cheap", "4", priority=2)
    await supplied.offer(goods, await supplied.connect(fake, "First"), "reject-x", "6", priority=1)
    order, _ = await supplied.order(goods)
    await supplied.work()
    rows = await supplied.at_suppliers(order)
    assert [(row["supplier"], row["state"]) for row in rows] == [
        ("First", "REJECTED"),
        ("Cheap", "DELIVERED"),
    ]
    assert rows[0]["note"] == "out of stock"


async def test_a_busy_supplier_is_tried_again_and_then_left(supplied: Supplied, fake: Fake) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "busy-10", priority=1)
    await supplied.offer(goods, await supplied.connect(fake, "Bob's"), "ok-10", priority=2)
    order, _ = await supplied.order(goods)
    await supplied.work()
    await supplied.later()
    rows = await supplied.at_suppliers(order)
    assert [(row["state"], row["sends"]) for row in rows] == [("FAILED", 3), ("DELIVERED", 1)]
    assert len(fake.paid) == 1


async def test_nobody_who_can_deliver_is_a_failure_for_the_shops_rule(supplied: Supplied, fake: Fake) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "reject-10")
    order, _ = await supplied.order(goods)
    nobody = await supplied.goods("NOBODY")
    other, _ = await supplied.order(nobody)
    await supplied.work()
    for key, reason in ((order, "no supplier can deliver this"), (other, "no supplier offers this")):
        (line,) = await lives.lines(supplied, key)
        assert (line.delivery_state, line.failure) == ("FAILED", reason)


async def test_more_than_was_paid_is_not_spent_unless_the_offer_says_so(
    supplied: Supplied, fake: Fake
) -> None:
    goods = await supplied.goods(price="3")
    connection = await supplied.connect(fake)
    await supplied.offer(goods, connection, "ok-10", "3.01")
    order, _ = await supplied.order(goods)
    await supplied.work()
    (line,) = await lives.lines(supplied, order)
    assert (line.delivery_state, line.failure) == ("FAILED", "every supplier costs more than was paid")
    assert fake.paid == []
    await supplied.offer(goods, connection, "ok-10", "3.01", below_cost=True)
    order, _ = await supplied.order(goods)
    await supplied.work()
    assert await lives.state(supplied, order) == "COMPLETED"


@pytest.mark.parametrize(("mode", "charged", "attention"), [("nocost", None, ""), ("zero", None, "COST")])
async def test_a_missing_cost_is_not_zero(
    supplied: Supplied, fake: Fake, mode: str, charged: int | None, attention: str
) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), f"{mode}-10")
    order, _ = await supplied.order(goods)
    await supplied.work()
    (at,) = await supplied.at_suppliers(order)
    assert (at["state"], at["charged_minor"], at["attention"]) == ("DELIVERED", charged, attention)


async def test_a_delivery_is_complete_or_it_is_kept(supplied: Supplied, fake: Fake) -> None:
    # Given a supplier that sends two of three codes, for ever, and one that sends the third when it is asked
    goods, other = await supplied.goods(), await supplied.goods("OTHER")
    connection = await supplied.connect(fake)
    await supplied.offer(goods, connection, "partial-10")
    await supplied.offer(other, connection, "whole-10")
    short, _ = await supplied.order(goods, 3)
    whole, _ = await supplied.order(other, 3)
    # When they are asked
    await supplied.work()
    await supplied.later()
    await supplied.later()
    # Then the one is delivered whole, and the other one is with a person, its codes kept
    assert (len(await supplied.texts(whole)), await lives.state(supplied, whole)) == (3, "COMPLETED")
    (at,) = await supplied.at_suppliers(short)
    assert (at["state"], at["attention"], at["note"]) == ("ACCEPTED", "INCOMPLETE", "2 of 3 codes")
    assert at["sealed"] is not None
    assert await supplied.texts(short) == []


async def test_goods_without_codes_need_none(supplied: Supplied, fake: Fake) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "message-10", codes=False)
    order, _ = await supplied.order(goods, 2)
    await supplied.work()
    assert (await lives.state(supplied, order), await supplied.texts(order)) == ("COMPLETED", [])


async def test_two_thousand_codes_come_whole(supplied: Supplied, fake: Fake) -> None:
    goods = await supplied.goods(price="2")
    await supplied.kernel.db.execute("update catalog_variant set max_quantity = 5000 where id = $1", goods)
    await supplied.offer(goods, await supplied.connect(fake, seconds=10), "ok-10", "1.5")
    order, _ = await supplied.order(goods, 2_300, "5000")
    await supplied.work()
    texts = await supplied.texts(order)
    assert (len(texts), len(set(texts)), await lives.state(supplied, order)) == (2_300, 2_300, "COMPLETED")


async def test_a_dead_supplier_stops_nobody_else(supplied: Supplied, start_fake: Callable[..., Fake]) -> None:
    # Given one that is dead, which alone has one thing and is first for another
    dead, alive = start_fake(), start_fake()
    gone = await supplied.connect(dead, "Dead")
    here = await supplied.connect(alive, "Alive")
    dead.die()
    only, both = await supplied.goods("ONLY"), await supplied.goods("BOTH")
    await supplied.offer(only, gone, "ok-1")
    await supplied.offer(both, gone, "ok-2", priority=1)
    await supplied.offer(both, here, "ok-2", priority=2)
    waiting, _ = await supplied.order(only)
    served = [(await supplied.order(both))[0] for _ in range(4)]
    # When a worker is at it
    await supplied.work()
    # Then its circuit is open, everything else is delivered, and what only it has waits
    for order in served:
        assert await lives.state(supplied, order) == "COMPLETED"
    row = await supplied.kernel.db.fetchrow(
        "select failures, resting_until > now() as resting from fulfilment_supplier_connection where id = $1",
        gone,
    )
    assert (row["failures"] >= 5, row["resting"]) == (True, True)
    assert len(alive.paid) == 4
    (line,) = await lives.lines(supplied, waiting)
    assert line.delivery_state in ("PENDING", "DELIVERING")
    # And when nobody has patience any more, it has failed
    await supplied.kernel.db.execute(
        "update fulfilment_supplier_plan set began_at = now() - interval '2 hours'"
    )
    for _ in range(4):
        await supplied.later()
    (line,) = await lives.lines(supplied, waiting)
    assert (line.delivery_state, line.failure) == ("FAILED", "no supplier could be reached")


async def test_many_workers_send_each_order_once(supplied: Supplied, fake: Fake) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake, seconds=10, concurrency=3), "slow-10")
    orders = [(await supplied.order(goods))[0] for _ in range(9)]
    await asyncio.gather(*(SupplierWork(supplied.kernel).run() for _ in range(4)))
    await supplied.work()
    assert [await lives.state(supplied, order) for order in orders] == ["COMPLETED"] * 9
    assert set(fake.calls.values()) == {1}
    assert len(fake.paid) == len(set(fake.paid)) == 9
