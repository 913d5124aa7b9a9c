"""Live signals between kernels: who hears what, when, and how it is told that something was missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from kameng.graphql.live import MAX_WAITING, MISSED, Signals
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels
from tests.engine.auth.eventually import eventually

PATIENCE = 60.0
"""Seconds after which a test gives up waiting; no measure of anything."""


@pytest_asyncio.fixture(loop_scope="session")
async def kernel(make_kernel: Kernels) -> Kernel:
    return await make_kernel([])


@pytest_asyncio.fixture(loop_scope="session")
async def other(kernel: Kernel) -> AsyncIterator[Kernel]:
    """Another process of the same deployment, as far as live signals can tell."""
    async with Kernel(kernel.settings, []) as made:
        yield made


async def next_of(signals: Signals) -> Any:
    return await asyncio.wait_for(anext(signals), PATIENCE)


async def up(signals: Signals) -> Signals:
    """The same, once the line is up, which is told by the first MISSED."""
    assert await next_of(signals) is MISSED
    return signals


async def test_a_signal_reaches_every_process(kernel: Kernel, other: Kernel) -> None:
    async with kernel.live.subscribe("t") as near, other.live.subscribe("t") as far:
        await up(near)
        await up(far)

        kernel.live.publish("t", "one")
        kernel.live.publish_all([("t", "two"), ("elsewhere", "x"), ("t", "three")])

        for signals in (near, far):
            assert [await next_of(signals) for _ in range(3)] == ["one", "two", "three"]


async def test_another_deployment_on_the_same_valkey_hears_nothing(
    kernel: Kernel, make_kernel: Kernels
) -> None:
    # Given one with a database of its own; publishing knows no databases of Valkey
    stranger = await make_kernel([])
    async with stranger.live.subscribe("t") as theirs, kernel.live.subscribe("t") as ours:
        await up(theirs)
        await up(ours)

        kernel.live.publish("t", "ours")
        assert await next_of(ours) == "ours"
        stranger.live.publish("t", "theirs")

        assert await next_of(theirs) == "theirs"


async def test_a_transaction_signals_when_it_has_committed(kernel: Kernel) -> None:
    async with kernel.live.subscribe("t") as signals:
        await up(signals)
        async with kernel.db.transaction():
            kernel.live.publish("t", "kept")
            async with kernel.db.transaction():
                kernel.live.publish("t", "also kept")
            # Said outside of it meanwhile
            await asyncio.get_running_loop().create_task(publish_later(kernel), context=None)
        try:
            async with kernel.db.transaction():
                kernel.live.publish("t", "undone")
                raise ZeroDivisionError
        except ZeroDivisionError:
            kernel.live.publish("t", "last")

        heard = [await next_of(signals) for _ in range(4)]

    assert sorted(heard[:3]) == ["also kept", "kept", "meanwhile"]
    assert heard[0] == "meanwhile" or heard.index("kept") < heard.index("also kept")
    assert heard[3] == "last"


async def publish_later(kernel: Kernel) -> None:
    """Publish from a task that is in no transaction."""
    import contextvars

    contextvars.Context().run(kernel.live.publish, "t", "meanwhile")


async def test_who_is_slow_hears_that_it_missed_something(kernel: Kernel) -> None:
    async with kernel.live.subscribe("slow") as slow, kernel.live.subscribe("mark") as mark:
        await up(slow)
        await up(mark)

        kernel.live.publish_all([("slow", str(n)) for n in range(MAX_WAITING + 1)])
        kernel.live.publish("mark", "behind")
        assert await next_of(mark) == "behind"

        # What came then is in place of all that was waiting; what comes from now on is heard
        assert await next_of(slow) is MISSED
        kernel.live.publish("slow", "new")
        assert await next_of(slow) == "new"


def test_as_many_signals_as_there_is_room_for_wait() -> None:
    signals = Signals()
    for number in range(MAX_WAITING):
        signals.put(str(number))
    assert list(signals._waiting) == [str(number) for number in range(MAX_WAITING)]
    signals.put("one more")
    assert list(signals._waiting) == [MISSED]


def test_the_same_once_more_says_nothing_new() -> None:
    signals = Signals()
    for signal in ("a", "a", "b", "b", "a", MISSED, MISSED, "a"):
        signals.put(signal)
    assert list(signals._waiting) == [MISSED, "a"]


async def test_a_line_that_was_cut_is_told_and_heard_again(kernel: Kernel, other: Kernel) -> None:
    async with kernel.live.subscribe("t") as signals:
        await up(signals)

        # When Valkey throws all listeners out, then each hears that it may have missed something
        await other.valkey.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        assert await next_of(signals) is MISSED

        # And hears what comes
        async def heard_again() -> bool:
            other.live.publish("t", "again")
            await asyncio.sleep(0.05)
            return "again" in signals._waiting

        await eventually(heard_again, bool)


async def test_what_cannot_be_read_counts_as_missed(kernel: Kernel) -> None:
    async with kernel.live.subscribe("t") as signals:
        await up(signals)
        await kernel.valkey.publish(await kernel.live._name(), b"\xff no message")
        assert await next_of(signals) is MISSED
        kernel.live.publish("t", "fine")
        assert await next_of(signals) == "fine"


async def test_a_topic_is_forgotten_with_its_last_subscriber(kernel: Kernel) -> None:
    async with kernel.live.subscribe("t"):
        async with kernel.live.subscribe("t"):
            assert len(kernel.live._subscribers["t"]) == 2
        assert len(kernel.live._subscribers["t"]) == 1
    assert kernel.live._subscribers == {}


async def test_closing_sends_what_waits_and_says_that_it_ends(kernel: Kernel) -> None:
    leaving = Kernel(kernel.settings, [])
    async with kernel.live.subscribe("t") as signals:
        await up(signals)
        async with leaving:
            leaving.live.publish("t", "goodbye")
        assert leaving.live.ending.is_set()
        assert await next_of(signals) == "goodbye"
