"""orderChanged without a number: every order of the viewer's, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from kameng.auth import VISITOR, Principal
from kameng.graphql import Context
from kameng_fulfilment.holding import hold, release
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.refunding import refund_order

from . import lives
from .conftest import OWNER, Shop

HEARD = "subscription { orderChanged { number state lines { sku } } }"
PATIENCE = 60.0
"""Seconds after which a test gives up waiting; no measure of anything."""


async def listening(shop: Shop, member: Principal) -> AsyncIterator[Any]:
    """The answers of the member's subscription, which hears what comes from now on."""
    context = Context(shop.kernel, principal=member, schema="shop", locale="en")
    answers = await shop.kernel.graphql["shop"].subscribe(HEARD, None, context)
    assert hasattr(answers, "__anext__"), answers
    return answers


async def test_each_new_order_of_the_viewer_is_told(shop: Shop) -> None:
    # Given two members who listen to their orders
    variant = await shop.stock("LIVE", "1.00", ["a", "b", "c"])
    ann, bob = await shop.member("10"), await shop.member("10")
    heard = {member: await listening(shop, member) for member in (ann, bob)}
    waiting = {member: asyncio.ensure_future(anext(answers)) for member, answers in heard.items()}
    while len(shop.kernel.live._subscribers) < 2 or shop.kernel.live._listening is None:
        await asyncio.sleep(0.01)
    await line_up(shop)

    # When both buy
    numbers = {
        member: (await shop.buy(member, (variant, 1)))["order"]["number"] for member in (ann, bob, ann)
    }
    first = {member: await asyncio.wait_for(waiting[member], PATIENCE) for member in waiting}

    # Then each hears of the own order as it stands
    assert all(answer.errors is None for answer in first.values())
    assert first[bob].data["orderChanged"] == {
        "number": numbers[bob],
        "state": "COMPLETED",
        "lines": [{"sku": "LIVE"}],
    }
    second = await asyncio.wait_for(anext(heard[ann]), PATIENCE)
    told = [first[ann].data["orderChanged"]["number"], second.data["orderChanged"]["number"]]
    assert len(set(told)) == 2
    assert told[1] == numbers[ann]

    # And of a change, once it is committed
    key = await shop.kernel.db.fetchval("select id from fulfilment_order where number = $1", numbers[bob])
    async with shop.kernel.db.transaction():
        await shop.kernel.db.execute("update fulfilment_order set state = 'REFUNDED' where id = $1", key)
        assert isinstance(bob.id, UUID)
        orders_changed(shop.kernel, [(bob.id, key)])
    changed = await asyncio.wait_for(anext(heard[bob]), PATIENCE)
    assert (changed.data["orderChanged"]["number"], changed.data["orderChanged"]["state"]) == (
        numbers[bob],
        "REFUNDED",
    )
    for answers in heard.values():
        await answers.aclose()
    assert set(shop.kernel.live._subscribers) == {"sites.changed"}  # whom the kernel itself listens to


async def test_what_was_missed_is_not_made_up(shop: Shop) -> None:
    # Given somebody who listens, and signals that were lost
    variant = await shop.stock("LIVE", "1.00", ["a", "b"])
    ann = await shop.member("10")
    answers = await listening(shop, ann)
    waiting = asyncio.ensure_future(anext(answers))
    await line_up(shop)
    shop.kernel.live._tell_all_missed()

    # When the next order comes, then it is the first that is told
    placed = await shop.buy(ann, (variant, 1))
    first = await asyncio.wait_for(waiting, PATIENCE)
    assert first.data["orderChanged"]["number"] == placed["order"]["number"]
    await answers.aclose()


async def line_up(shop: Shop) -> None:
    """Wait until signals are heard."""
    async with shop.kernel.live.subscribe("test") as signals:
        while True:
            shop.kernel.live.publish("test", "up")
            if await asyncio.wait_for(anext(signals), PATIENCE) == "up":
                return


async def test_only_members_have_orders_to_listen_to(shop: Shop) -> None:
    for principal, code in ((VISITOR, "UNAUTHENTICATED"), (OWNER, "FORBIDDEN")):
        context = Context(shop.kernel, principal=principal, schema="shop")
        answer = await shop.kernel.graphql["shop"].subscribe(HEARD, None, context)
        assert answer.errors[0]["extensions"]["code"] == code


async def test_each_step_of_an_orders_life_is_told(shop: Shop) -> None:
    # Given a member who listens
    variant = await shop.stock("LIVE", "1.00", ["a"])
    ann = await shop.member()
    answers = await listening(shop, ann)
    waiting = asyncio.ensure_future(anext(answers))
    while shop.kernel.live._listening is None:
        await asyncio.sleep(0.01)
    await line_up(shop)
    states = []

    async def heard() -> None:
        nonlocal waiting
        answer = await asyncio.wait_for(waiting, PATIENCE)
        states.append(answer.data["orderChanged"]["state"])
        waiting = asyncio.ensure_future(anext(answers))

    # When an order is placed, held, paid, released and refunded
    order = await lives.place(shop, ann, (variant, 1))
    await heard()
    await hold(shop.kernel, order, "staff:x", "odd")
    await lives.pay(shop, order, 100)
    while states[-1] != "REVIEW":
        await heard()
    await release(shop.kernel, order, "staff:x", "fine")
    while states[-1] != "COMPLETED":
        await heard()
    await refund_order(shop.kernel, order, [], key="k", actor="staff:x", reason="sorry")
    while states[-1] != "REFUNDED":
        await heard()
    # Then the listener heard of each place where it stood, in order
    assert list(dict.fromkeys(states)) == ["PENDING_PAYMENT", "REVIEW", "COMPLETED", "REFUNDED"]
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await answers.aclose()
