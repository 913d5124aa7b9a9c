"""Reads of many requests in one statement."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from kameng.db import Database, Together
from kameng.kernel import Kernel


class Squares:
    """Reads squares of the numbers that the database can make; keeps what it was asked."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.asked: list[list[int]] = []

    async def read(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(keys))
        rows = await self.db.fetch(
            "select n, n * n as square from unnest($1::int[]) n where n > 0", list(keys)
        )
        return {row["n"]: row["square"] for row in rows}


async def test_what_is_asked_in_one_turn_is_read_together(kernel: Kernel) -> None:
    squares = Squares(kernel.db)
    together = Together(kernel.db, squares.read)
    answers = await asyncio.gather(*(together.read([n, -1]) for n in (1, 2, 2, 3)))
    assert [answer.get(n) for answer, n in zip(answers, (1, 2, 2, 3), strict=True)] == [1, 4, 4, 9]
    assert all(-1 not in answer for answer in answers)
    assert squares.asked == [[1, -1, 2, 3]]
    # and what is asked later is read anew
    assert (await together.read([2]))[2] == 4
    assert squares.asked == [[1, -1, 2, 3], [2]]


async def test_who_is_in_a_transaction_reads_what_only_he_sees(kernel: Kernel) -> None:
    await kernel.db.execute("create table together_note (n int primary key)")

    async def read(keys: Sequence[int]) -> Mapping[int, bool]:
        rows = await kernel.db.fetch("select n from together_note where n = any($1::int[])", list(keys))
        return {row["n"]: True for row in rows}

    together = Together(kernel.db, read)

    async def writer() -> Mapping[int, bool]:
        async with kernel.db.transaction():
            await kernel.db.execute("insert into together_note values (1)")
            found = await together.read([1])
            written.set()
            await read_outside.wait()
            return found

    async def reader() -> Mapping[int, bool]:
        await written.wait()
        found = await together.read([1])
        read_outside.set()
        return found

    written, read_outside = asyncio.Event(), asyncio.Event()
    try:
        inside, outside = await asyncio.gather(writer(), reader())
        assert (inside, outside) == ({1: True}, {})
        assert await together.read([1]) == {1: True}
    finally:
        await kernel.db.execute("drop table together_note")


async def test_tasks_of_a_transaction_read_together(kernel: Kernel) -> None:
    squares = Squares(kernel.db)
    together = Together(kernel.db, squares.read)
    async with kernel.db.transaction():
        inside = [together.read([n]) for n in (1, 2)]
        answers = await asyncio.gather(*inside)
        async with kernel.db.transaction():
            deeper = await together.read([3])
    assert ([answer.get(n) for answer, n in zip(answers, (1, 2), strict=True)], deeper) == ([1, 4], {3: 9})
    assert squares.asked == [[1, 2], [3]]


async def test_a_failure_is_everybodys_and_the_next_read_works(kernel: Kernel) -> None:
    fail = True

    async def read(keys: Sequence[int]) -> Mapping[int, int]:
        if fail:
            await kernel.db.fetch("select 1 / 0")
        return {key: key for key in keys}

    together = Together(kernel.db, read)
    answers = await asyncio.gather(together.read([1]), together.read([2]), return_exceptions=True)
    assert [type(answer).__name__ for answer in answers] == ["DivisionByZeroError"] * 2
    fail = False
    assert await together.read([3]) == {3: 3}


async def test_who_gives_up_does_not_stop_the_others(kernel: Kernel) -> None:
    squares = Squares(kernel.db)
    together = Together(kernel.db, squares.read)
    first, second = (asyncio.ensure_future(together.read([n])) for n in (4, 5))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second)[5] == 25
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_many_keys_are_read_in_portions(kernel: Kernel) -> None:
    squares = Squares(kernel.db)
    together = Together(kernel.db, squares.read)
    assert (await together.read(range(1, 2_502)))[2_501] == 2_501**2
    assert [len(asked) for asked in squares.asked] == [1_000, 1_000, 501]
