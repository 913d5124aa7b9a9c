"""Transactions keep their word in every pitfall that stack and drivers dig."""

import asyncio

import asyncpg
import pytest
from piccolo.columns import Integer
from piccolo.table import Table

from kameng.db import CommitUnknown, Database, TransactionClosed, counted_statements
from kameng.db.piccolo_engine import ENGINE
from kameng.errors import TransactionError, UnavailableError


class Thing(Table, tablename="thing", db=ENGINE):
    n = Integer()


@pytest.fixture
async def db(make_database):
    database = Database(await make_database(), pool_size=3)
    await database.open()
    with database.in_use():
        await database.execute(
            "create table thing (id serial primary key, n int unique deferrable initially deferred)"
        )
        yield database
    await database.close()


async def numbers(db):
    return [row["n"] for row in await db.fetch("select n from thing order by n")]


async def test_a_failed_block_leaves_nothing(db):
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await db.execute("insert into thing (n) values (1)")
            raise ZeroDivisionError
    assert await numbers(db) == []


async def test_a_failed_commit_gives_its_connection_back(db):
    # given a pool of three; when ten commits in a row fail by a deferred constraint
    for _ in range(10):
        with pytest.raises(asyncpg.UniqueViolationError):
            async with db.transaction():
                await db.execute("insert into thing (n) values (7), (7)")
    # then the pool still has all its connections
    assert await asyncio.gather(*(db.fetchval("select 1") for _ in range(6))) == [1] * 6
    assert await numbers(db) == []


async def test_a_connection_lost_while_committing_is_told_as_unknown(db):
    with pytest.raises(CommitUnknown):
        async with db.transaction():
            await db.execute("insert into thing (n) values (1)")
            pid = await db.fetchval("select pg_backend_pid()")
            async with db.connection() as other:
                await other.execute("select pg_terminate_backend($1)", pid)
                while await other.fetchval("select count(*) from pg_stat_activity where pid = $1", pid):
                    await asyncio.sleep(0.01)
    assert await numbers(db) == []


async def test_a_swallowed_failure_is_not_taken_for_a_commit(db):
    with pytest.raises(TransactionError, match="swallowed"):
        async with db.transaction():
            await db.execute("insert into thing (n) values (1)")
            with pytest.raises(asyncpg.UndefinedTableError):
                await db.execute("insert into nowhere values (1)")
    assert await numbers(db) == []


async def test_a_failed_inner_block_undoes_only_its_own_work(db):
    async with db.transaction():
        await db.execute("insert into thing (n) values (1)")
        with pytest.raises(asyncpg.UndefinedTableError):
            async with db.transaction():
                await db.execute("insert into thing (n) values (2)")
                await db.execute("insert into nowhere values (1)")
        async with db.transaction():
            await db.execute("insert into thing (n) values (3)")
    assert await numbers(db) == [1, 3]


async def test_gathered_statements_take_turns_inside_a_transaction(db):
    async with db.transaction():
        await asyncio.gather(*(db.execute("insert into thing (n) values ($1)", n) for n in range(20)))
        assert await numbers(db) == list(range(20))
    assert await numbers(db) == list(range(20))


async def test_gathered_blocks_do_not_mix_their_savepoints(db):
    async def block(n):
        async with db.transaction():
            await db.execute("insert into thing (n) values ($1)", n)
            await asyncio.sleep(0)
            await db.execute("insert into thing (n) values ($1)", n + 100)
            if n % 2:
                raise ValueError(n)

    async with db.transaction():
        outcomes = await asyncio.gather(*(block(n) for n in range(6)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), ValueError] * 3
    assert await numbers(db) == [0, 2, 4, 100, 102, 104]


async def test_a_task_that_outlives_its_transaction_is_told_so(db):
    ended = asyncio.Event()

    async def late():
        await ended.wait()
        await db.execute("insert into thing (n) values (1)")

    async with db.transaction():
        task = asyncio.create_task(late())
    ended.set()
    with pytest.raises(TransactionClosed):
        await task
    assert await numbers(db) == []


async def test_a_late_block_of_an_ended_transaction_is_told_so(db):
    ended = asyncio.Event()

    async def late():
        await ended.wait()
        async with db.transaction():
            await db.execute("insert into thing (n) values (1)")

    async with db.transaction():
        task = asyncio.create_task(late())
    ended.set()
    with pytest.raises(TransactionClosed):
        await task


async def test_cancelling_inside_a_block_rolls_back_and_keeps_the_pool_whole(db):
    async def work(started):
        async with db.transaction():
            await db.execute("insert into thing (n) values (1)")
            started.set()
            await db.execute("select pg_sleep(30)")

    for _ in range(6):
        started = asyncio.Event()
        task = asyncio.create_task(work(started))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await numbers(db) == []
    assert await asyncio.gather(*(db.fetchval("select 1") for _ in range(6))) == [1] * 6


async def test_hooks_run_after_the_outermost_commit_only(db):
    seen = []
    async with db.transaction() as outer:
        outer.after_commit(lambda: seen.append("outer"))
        async with db.transaction() as inner:
            inner.after_commit(lambda: seen.append("inner"))
        with pytest.raises(ValueError, match="no"):
            async with db.transaction() as lost:
                lost.after_commit(lambda: seen.append("lost"))
                raise ValueError("no")
        assert seen == []
    assert seen == ["outer", "inner"]
    with pytest.raises(ValueError, match="no"):
        async with db.transaction() as scope:
            scope.after_commit(lambda: seen.append("never"))
            raise ValueError("no")
    assert seen == ["outer", "inner"]


async def test_piccolo_joins_the_transaction_around_it(db):
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await Thing.insert(Thing(n=5))
            assert await Thing.count() == 1
            raise ZeroDivisionError
    async with db.transaction():
        await Thing.insert(Thing(n=6))
    assert await Thing.select(Thing.n) == [{"n": 6}]


async def test_two_open_databases_keep_apart(db, make_database):
    other = Database(await make_database())
    await other.open()
    await other.execute("create table thing (id serial primary key, n int)")
    try:
        with other.in_use():
            await Thing.insert(Thing(n=1))
        with db.in_use():
            assert await Thing.count() == 0
        with other.in_use():
            assert await Thing.count() == 1
    finally:
        await other.close()


async def test_statements_are_counted_across_gathered_tasks(db):
    with counted_statements() as seen:
        await db.fetchval("select 1")
        await asyncio.gather(db.fetchval("select 2"), Thing.count())
    assert len(seen) == 3


async def test_a_wrong_address_is_one_clear_error():
    database = Database("postgresql://nobody:hidden@127.0.0.1:1/none")
    with pytest.raises(UnavailableError) as caught:
        await database.open()
    assert "127.0.0.1:1/none" in str(caught.value)
    assert "DATABASE_URL" in caught.value.cure
    assert "hidden" not in str(caught.value)
