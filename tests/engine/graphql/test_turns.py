"""Turns: so many at once, the newest first, the oldest not forgotten, none lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng.graphql.turns import OLDEST_EVERY, Turns


async def settle() -> None:
    """Let everybody go on who can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def waiters(turns: Turns, count: int, order: list[int]) -> list[asyncio.Task[None]]:
    """So many who wait, in this order; each notes when its turn came."""

    async def wait(number: int) -> None:
        await turns.enter()
        order.append(number)

    tasks = []
    for number in range(count):
        tasks.append(asyncio.create_task(wait(number)))
        await settle()
    return tasks


async def test_so_many_at_once_and_no_more() -> None:
    turns = Turns(3)
    order: list[int] = []
    tasks = await waiters(turns, 5, order)
    assert order == [0, 1, 2]
    assert turns.waiting == 2
    turns.leave()
    await settle()
    assert order == [0, 1, 2, 4]
    turns.leave()
    await settle()
    assert order == [0, 1, 2, 4, 3]
    await asyncio.gather(*tasks)


async def test_the_newest_goes_first_and_every_fourth_turn_to_the_oldest() -> None:
    # Given one at work and eight who wait
    turns = Turns(1)
    order: list[int] = []
    tasks = await waiters(turns, 9, order)
    for _ in range(8):
        turns.leave()
        await settle()
    assert OLDEST_EVERY == 4
    assert order == [0, 8, 7, 6, 1, 5, 4, 3, 2]
    await asyncio.gather(*tasks)


async def test_who_gives_up_takes_no_turn_with_him() -> None:
    turns = Turns(1)
    order: list[int] = []
    tasks = await waiters(turns, 4, order)
    # When the newest leaves the queue, and the next one in the very moment in which its turn comes
    tasks[3].cancel()
    await settle()
    turns.leave()
    tasks[2].cancel()
    await settle()
    # Then the turn goes to who is left, and there is still exactly one
    assert order == [0, 1]
    turns.leave()
    await asyncio.wait_for(turns.enter(), 60)
    late = asyncio.create_task(turns.enter())
    await settle()
    assert not late.done()
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late


@given(st.integers(1, 5), st.lists(st.sampled_from(["enter", "leave", "cancel"]), max_size=60))
def test_turns_are_neither_lost_nor_made(at_once: int, steps: list[str]) -> None:
    """Whatever happens, as many have a turn as may, or nobody waits."""

    async def run() -> None:
        turns = Turns(at_once)
        held = 0
        tasks: list[asyncio.Task[None]] = []

        async def buyer() -> None:
            nonlocal held
            await turns.enter()
            held += 1

        for step in steps:
            if step == "enter":
                tasks.append(asyncio.create_task(buyer()))
            elif step == "leave" and held:
                held -= 1
                turns.leave()
            elif step == "cancel" and tasks:
                tasks[len(tasks) // 2].cancel()
            await settle()
            living = sum(not task.done() for task in tasks)
            assert held <= at_once
            assert living == 0 or held == at_once
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
