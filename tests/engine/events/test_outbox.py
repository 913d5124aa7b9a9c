"""Publishing: with the transaction or not at all, at the cost of one statement."""

import pytest

from kameng.db import counted_statements
from kameng.errors import BootError, TransactionError
from kameng.events import Event, EventsBacklog
from tests.engine.events.sample import Counted, Unheard, emit, sample


@pytest.fixture
async def kernel(make_kernel):
    return await make_kernel([sample()])


async def written(kernel):
    rows = await kernel.db.fetch("select topic, payload from kernel_outbox order by id")
    return [tuple(row) for row in rows]


async def test_an_event_outside_a_transaction_is_refused(kernel):
    with pytest.raises(TransactionError, match=r"sample\.counted was published outside a transaction"):
        await kernel.events.emit(Counted(number=1))
    assert await written(kernel) == []


async def test_events_are_written_with_their_transaction(kernel):
    async with kernel.db.transaction():
        await kernel.events.emit(Counted(number=1, note="一"), Unheard())
    assert await written(kernel) == [
        ("sample.counted", '{"note": "一", "number": 1}'),
        ("sample.unheard", "{}"),
    ]


async def test_events_of_a_rolled_back_transaction_never_happened(kernel):
    with pytest.raises(ZeroDivisionError):
        async with kernel.db.transaction():
            await kernel.events.emit(Counted(number=1))
            raise ZeroDivisionError
    assert await written(kernel) == []


async def test_events_of_a_rolled_back_savepoint_never_happened(kernel):
    async with kernel.db.transaction():
        await kernel.events.emit(Counted(number=1))
        with pytest.raises(ZeroDivisionError):
            async with kernel.db.transaction():
                await kernel.events.emit(Counted(number=2))
                raise ZeroDivisionError
    assert [payload for _, payload in await written(kernel)] == ['{"note": "", "number": 1}']


async def test_many_events_cost_one_statement_and_keep_their_order(kernel):
    async with kernel.db.transaction():
        with counted_statements() as statements:
            await kernel.events.emit(*(Counted(number=number) for number in range(64)))
    assert len(statements) == 1
    rows = await kernel.db.fetch(
        "select (payload ->> 'number')::int as number from kernel_outbox order by id"
    )
    assert [row["number"] for row in rows] == list(range(64))


async def test_no_event_costs_no_statement_and_needs_no_transaction(kernel):
    with counted_statements() as statements:
        await kernel.events.emit()
    assert statements == []


async def test_an_event_without_a_name_is_refused(kernel):
    class Nameless(Event, frozen=True, kw_only=True):
        pass

    with pytest.raises(BootError, match="Nameless has no name"):
        async with kernel.db.transaction():
            await kernel.events.emit(Nameless())


async def test_the_backlog_counts_what_nobody_has_taken_yet(kernel):
    await emit(kernel, 1, 2, 3)
    assert await kernel.events.backlog() == EventsBacklog(unrelayed=3, owed=0, dead=0)
