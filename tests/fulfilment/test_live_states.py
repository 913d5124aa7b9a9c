"""orderChanged hears of each state that an order comes to, by whatever hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any
from uuid import UUID

from kameng.auth import Principal
from kameng.graphql import Context
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.holding import hold, release
from kameng_fulfilment.states import ALLOWED
from kameng_fulfilment.unpaid import cancel_unpaid, expire_unpaid

from . import lives
from .conftest import OWNER, Shop
from .test_live import PATIENCE, line_up

ALL = "subscription { orderChanged { number state } }"
ONE = "subscription($number: String!) { orderChanged(number: $number) { number state } }"


class Ear:
    """Somebody who listens to orders, and remembers what was heard."""

    def __init__(self, answers: AsyncIterator[Any]) -> None:
        self._answers = answers
        self._next: asyncio.Future[Any] | None = None
        self.states: list[str] = []

    async def listen(self) -> None:
        """Begin, without waiting for anything."""
        self._next = asyncio.ensure_future(anext(self._answers))

    async def hear(self, state: str) -> None:
        """Wait until an order is told in a state."""
        while True:
            assert self._next is not None
            answer = await asyncio.wait_for(self._next, PATIENCE)
            assert answer.errors is None, answer.errors
            self._next = asyncio.ensure_future(anext(self._answers))
            self.states.append(answer.data["orderChanged"]["state"])
            if self.states[-1] == state:
                return

    async def close(self) -> None:
        """Stop listening."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)


async def ear(shop: Shop, member: Principal, number: str | None = None) -> Ear:
    """A buyer's ear, at one order or all."""
    context = Context(shop.kernel, principal=member, schema="shop", locale="en")
    source, variables = (ALL, None) if number is None else (ONE, {"number": number})
    answers = await shop.kernel.graphql["shop"].subscribe(source, variables, context)
    assert hasattr(answers, "__anext__"), answers
    made = Ear(answers)
    await made.listen()
    return made


async def test_every_state_is_told(shop: Shop) -> None:
    # Given a buyer who listens to all orders
    cards = await shop.stock("LIVE", "1.00", [f"c{number}" for number in range(10)])
    service = await shop.stock("HAND", "2.00", ["x", "y"])
    await lives.delivery(shop, service, "manual")
    ann = await shop.member()
    heard = await ear(shop, ann)
    await line_up(shop)

    async def does(action: Awaitable[Any], state: str) -> Any:
        """An action, and what is heard of it."""
        done = await action
        await heard.hear(state)
        return done

    # When an order is called off, one is not paid in time, and one is paid late
    called_off = await does(lives.place(shop, ann, (cards, 1)), "PENDING_PAYMENT")
    await does(cancel_unpaid(shop.kernel, called_off, "member:ann"), "CANCELLED")
    late = await does(lives.place(shop, ann, (cards, 1)), "PENDING_PAYMENT")
    await lives.overdue(shop, late)
    await does(expire_unpaid(shop.kernel), "EXPIRED")
    await does(lives.pay(shop, late, 100), "COMPLETED")

    # And one is delivered by hand, with a stop on the way, and refunded
    order = await does(lives.place(shop, ann, (service, 2)), "PENDING_PAYMENT")
    await does(lives.pay(shop, order, 400), "PAID")
    line = (await lives.lines(shop, order))[0].id
    deliveries = shop.kernel.services.get(Deliveries)
    await does(deliveries.started(line, "staff:bo"), "DELIVERING")
    await does(deliveries.delivered(line, ["half"], "staff:bo", 1), "PARTLY_DELIVERED")
    await does(hold(shop.kernel, order, "staff:bo", "look"), "REVIEW")
    await does(release(shop.kernel, order, "staff:bo", "fine"), "PARTLY_DELIVERED")
    await does(deliveries.delivered(line, ["whole"], "staff:bo"), "COMPLETED")
    number = (await lives.stored(shop, order)).number
    source = """mutation($input: RefundOrderInput!, $key: String!) {
      refundOrder(input: $input) @idempotent(key: $key) { errors { code message } }
    }"""
    value = {"number": number, "reason": "kind"}
    answer = await shop.ask("admin", source, {"input": value, "key": "refund-1"}, OWNER)
    assert answer.errors is None, answer.errors
    assert answer.data["refundOrder"]["errors"] == []
    await heard.hear("REFUNDED")

    # Then every state that there is was told
    assert set(heard.states) == set(ALLOWED)
    await heard.close()


async def test_one_order_is_followed_to_its_end(shop: Shop) -> None:
    cards = await shop.stock("LIVE", "1.00", ["a", "b"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (cards, 1))
    other = await lives.place(shop, ann, (cards, 1))
    heard = await ear(shop, ann, (await lives.stored(shop, order)).number)
    await heard.hear("PENDING_PAYMENT")
    # What becomes of another order is not told
    await cancel_unpaid(shop.kernel, other, "member:ann")
    await lives.pay(shop, order, 100)
    await heard.hear("COMPLETED")
    assert set(heard.states) == {"PENDING_PAYMENT", "COMPLETED"}
    await heard.close()


async def test_what_is_rolled_back_is_not_told(shop: Shop) -> None:
    cards = await shop.stock("LIVE", "1.00", ["a"])
    ann = await shop.member()
    order = await lives.place(shop, ann, (cards, 1))
    heard = await ear(shop, ann, (await lives.stored(shop, order)).number)
    await heard.hear("PENDING_PAYMENT")
    await line_up(shop)

    async def fails(key: UUID) -> None:
        async with shop.kernel.db.transaction():
            await cancel_unpaid(shop.kernel, key, "member:ann")
            raise ZeroDivisionError

    await asyncio.gather(fails(order), return_exceptions=True)
    await lives.pay(shop, order, 100)
    await heard.hear("COMPLETED")
    assert "CANCELLED" not in heard.states
    await heard.close()
