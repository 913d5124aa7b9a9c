"""What went wrong in other shops with orders, each as a test that would have caught it."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kameng.errors import Conflict, Refusal
from kameng.ids import new_id
from kameng.testing.kernels import Kernels
from kameng_catalog.contract import Stock
from kameng_fulfilment import delivering, paying, refunding, states, tickets
from kameng_fulfilment.contract import PaymentOutcome
from kameng_fulfilment.refund_parts import RefundedLine
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.unpaid import cancel_unpaid, expire_unpaid
from tests.fulfilment import lives
from tests.fulfilment.conftest import Shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(make_kernel: Kernels) -> Shop:
    """An empty shop of all modules."""
    return Shop(await make_kernel())


async def test_a_repeated_notification_sells_no_extra_cards(shop: Shop) -> None:
    # Given an order of two cards out of ten, and its payment
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(10)])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 2))
    # When the gateway tells of it a dozen times, at once and later
    taken = [*await asyncio.gather(*(lives.pay(shop, order, 1000, "N-1", "wechat:1") for _ in range(11)))]
    taken.append(await lives.pay(shop, order, 1000, "N-1", "wechat:1"))
    # Then two cards are sold, and all are told the same
    assert (await lives.sold(shop), await lives.free(shop)) == (2, 8)
    assert len({(each.outcome, each.transaction) for each in taken}) == 1
    assert sum(each.fresh for each in taken) == 1


async def test_a_double_click_on_pay_delivers_once_for_one_price(shop: Shop) -> None:
    # Given a buyer who pays the same order twice indeed, with two payments at once
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(10)])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    taken = await asyncio.gather(*(lives.pay(shop, order, 500) for _ in range(2)))
    # Then one of them pays it and the other one is money of the buyer's
    assert sorted(each.outcome for each in taken) == [PaymentOutcome.CREDITED, PaymentOutcome.PAID]
    assert (await lives.sold(shop), await shop.balance(ann)) == (1, "5.00")


async def test_a_payment_of_one_gateway_is_none_of_another(shop: Shop) -> None:
    # Given two orders of one price, one paid
    variant = await shop.stock("CARD", "5", ["a", "b"])
    one, other = [await lives.place(shop, await shop.member(), (variant, 1)) for _ in range(2)]
    await lives.pay(shop, one, 500, "N-1", "wechat:1")
    # When its payment is replayed for the other order, then it is refused, alone and in a crowd
    for outcome in await asyncio.gather(
        *(lives.pay(shop, other, 500, "N-1", "wechat:1") for _ in range(4)), return_exceptions=True
    ):
        assert isinstance(outcome, Conflict)
    assert await lives.state(shop, other) == "PENDING_PAYMENT"


async def test_one_reference_for_two_orders_at_the_same_moment_pays_one(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(8)])
    members = [await shop.member() for _ in range(6)]
    orders = [await lives.place(shop, member, (variant, 1)) for member in members]
    outcomes = await asyncio.gather(
        *(lives.pay(shop, order, 500, "N-1") for order in orders), return_exceptions=True
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if isinstance(outcome, BaseException))
    assert (
        sorted([await lives.state(shop, order) for order in orders])
        == ["COMPLETED"] + ["PENDING_PAYMENT"] * 5
    )


def test_nothing_leaves_the_database_while_orders_are_locked() -> None:
    # What pays, delivers, refunds and replaces knows of no way out: what leaves, leaves by the outbox or as a task.
    for module in (paying, delivering, refunding, states, tickets):
        source = Path(inspect.getfile(module)).read_text()
        assert not any(word in source for word in ("httpx", "aiohttp", "urllib", "smtplib", "socket")), module


async def test_what_is_decided_on_is_read_after_it_is_locked(shop: Shop) -> None:
    # Given an order that somebody refunds whole, and holds that lock for a moment
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann = await shop.member("10")
    order = await lives.place(shop, ann, (variant, 2), outside=False)
    (line,) = await lives.lines(shop, order)
    started = asyncio.Event()

    async def first() -> None:
        async with shop.kernel.db.transaction():
            await refund_order(shop.kernel, order, [], key="a", actor="staff:a", reason="sorry")
            started.set()
            await asyncio.sleep(0.2)

    async def second() -> None:
        await started.wait()
        await refund_order(
            shop.kernel,
            order,
            [RefundedLine(line=line.id, quantity=1)],
            key="b",
            actor="staff:b",
            reason="sorry",
        )

    # When another one comes in between, then it sees what the first one did
    outcomes = await asyncio.gather(first(), second(), return_exceptions=True)
    assert outcomes[0] is None
    assert isinstance(outcomes[1], Refusal)
    assert await shop.balance(ann) == "10.00"


async def test_concurrent_cancellations_give_back_once(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b", "c"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 2))
    await lives.pay(shop, order, 400)
    outcomes = await asyncio.gather(
        *(cancel_unpaid(shop.kernel, order, f"staff:{n}") for n in range(6)), return_exceptions=True
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert (await lives.free(shop), await shop.balance(ann)) == (3, "4.00")
    movements = await shop.kernel.db.fetchval("select sum(quantity) from catalog_stock_movement")
    assert movements == 3


async def test_events_leave_after_the_commit_or_not_at_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an order, and a stock that breaks at the last moment of its delivery
    variant = await shop.stock("CARD", "5", ["a"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (variant, 1))
    told: list[Any] = []
    monkeypatch.setattr(shop.kernel.live, "_send_soon", told.append)

    async def broken(_lines: Any) -> None:
        raise RuntimeError("the disk is full")

    stock = shop.kernel.services.get(Stock)
    with monkeypatch.context() as patched:
        patched.setattr(stock, "hand_over_reserved", broken)
        with pytest.raises(RuntimeError):
            await lives.pay(shop, order, 500, "N-1")
    # Then nothing was published, told, credited or sold
    assert await lives.events(shop, order) == ["order_placed"]
    assert told == []
    assert (await lives.state(shop, order), await shop.balance(ann)) == ("PENDING_PAYMENT", "0.00")
    # And the same payment, told of again, does it all
    assert (await lives.pay(shop, order, 500, "N-1")).fresh
    assert (await lives.events(shop, order))[-1] == "order_completed"
    assert told


async def test_many_orders_changed_by_many_in_any_order_never_wait_in_a_circle(shop: Shop) -> None:
    # Given twelve orders of two products
    one = await shop.stock("ONE", "1", [f"a{n}" for n in range(30)])
    two = await shop.stock("TWO", "1", [f"b{n}" for n in range(30)])
    members = [await shop.member() for _ in range(4)]
    orders = []
    for n in range(12):
        lines = [(one, 1), (two, 1)] if n % 2 else [(two, 1), (one, 1)]
        orders.append(await lives.place(shop, members[n % 4], *lines))

    async def lock_some(some: list[Any]) -> None:
        async with shop.kernel.db.transaction():
            await states.lock_orders(shop.kernel, some)
            await asyncio.sleep(0.005)

    # When they are locked in every direction, paid, cancelled and swept at once
    outcomes = await asyncio.gather(
        *(lock_some(orders[n:] + orders[:n]) for n in range(12)),
        *(lock_some(orders[::-1]) for _ in range(4)),
        *(lives.pay(shop, order, 200, str(new_id())) for order in reversed(orders)),
        *(cancel_unpaid(shop.kernel, order, "staff:x") for order in orders),
        expire_unpaid(shop.kernel),
        return_exceptions=True,
    )
    # Then nobody is a victim of a deadlock
    assert all(
        outcome is None or not isinstance(outcome, BaseException) or isinstance(outcome, Refusal)
        for outcome in outcomes
    )
