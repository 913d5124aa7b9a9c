"""Handling: once in its effects, however often and from wherever a message comes."""

import asyncio
from datetime import timedelta

import asyncpg
import msgspec
import pytest
from prometheus_client import REGISTRY

from kameng.errors import TransactionError
from kameng.events import Event, EventsBacklog, delivering
from kameng.events.delivering import Deliverer
from kameng.events.letters import LANES, Room
from kameng.events.relaying import NewEvents
from kameng.module import Handler, Module
from kameng.tasks import drain
from tests.engine.events.sample import (
    MANY,
    ONE,
    Counted,
    deliveries,
    effects,
    emit,
    make_due,
    prepare,
    sample,
    write_many,
)


async def relay(kernel):
    """Give new events their deliveries without handing them over; their ids."""
    async with kernel.db.connection() as connection:
        letters, _ = await NewEvents(kernel.events.subscriptions, timedelta(seconds=30)).run(
            connection, Room(dict.fromkeys(LANES, 1))
        )
    return letters


async def test_each_handler_handles_each_event_once(make_kernel):
    kernel = await prepare(await make_kernel([sample(ONE, MANY)]))
    await emit(kernel, 1, 2, 3)
    await emit(kernel, 4)
    await drain(kernel)
    assert await effects(kernel, "one") == [1, 2, 3, 4]
    assert await effects(kernel, "many") == [1, 2, 3, 4]
    assert await kernel.events.backlog() == EventsBacklog(unrelayed=0, owed=0, dead=0)


async def test_a_message_that_comes_twice_finds_nothing_left_to_do(make_kernel):
    kernel = await prepare(await make_kernel([sample(ONE, MANY)]))
    await emit(kernel, *range(20))
    letters = await relay(kernel)
    deliverer = Deliverer(kernel, first_pause=5)
    for _ in range(2):
        for letter in letters:
            await deliverer.deliver(*letter.content)
    assert await effects(kernel, "one") == list(range(20))
    assert await effects(kernel, "many") == list(range(20))


async def test_copies_of_a_message_at_the_same_time_share_the_work(make_kernel):
    kernel = await prepare(await make_kernel([sample(ONE, MANY)]))
    await emit(kernel, *range(40))
    letters = await relay(kernel)
    deliverers = [Deliverer(kernel, first_pause=5) for _ in range(6)]
    await asyncio.gather(*(each.deliver(*letter.content) for letter in letters for each in deliverers))
    assert await effects(kernel, "one") == list(range(40))
    assert await effects(kernel, "many") == list(range(40))


async def test_a_batch_is_handed_over_in_order_and_in_one_transaction(make_kernel):
    batches = []

    async def call(kernel, events):
        batches.append([event.number for event in events])
        await write_many(kernel, events)

    kernel = await prepare(
        await make_kernel([sample(Handler(name="many", event=Counted, call=call, batch=True))])
    )
    await emit(kernel, 3, 1)
    await emit(kernel, 2)
    await drain(kernel)
    assert batches == [[3, 1, 2]]
    assert await kernel.db.fetchval("select count(distinct xmin::text) from effect") == 1


async def test_events_for_a_plain_handler_have_a_transaction_each(make_kernel):
    kernel = await prepare(await make_kernel([sample(ONE)]))
    await emit(kernel, 1, 2, 3)
    await drain(kernel)
    assert await kernel.db.fetchval("select count(distinct xmin::text) from effect") == 3


async def test_a_handler_is_inside_its_transaction(make_kernel):
    async def call(kernel, event):
        await kernel.events.emit(Counted(number=event.number + 1)) if event.number < 3 else None
        await kernel.db.execute("insert into effect values ('chain', $1)", event.number)

    kernel = await prepare(await make_kernel([sample(Handler(name="chain", event=Counted, call=call))]))
    await emit(kernel, 1)
    await drain(kernel)
    assert await effects(kernel, "chain") == [1, 2, 3]


async def test_what_a_failed_handler_wrote_is_undone_and_tried_again(make_kernel):
    tries = []

    async def call(kernel, event):
        await kernel.db.execute("insert into effect values ('flaky', $1)", event.number)
        tries.append(event.number)
        if len(tries) < 3:
            raise RuntimeError("not today")

    kernel = await prepare(await make_kernel([sample(Handler(name="flaky", event=Counted, call=call))]))
    await emit(kernel, 7)
    # when it fails: its effects are gone, and it waits
    await drain(kernel)
    assert await effects(kernel, "flaky") == []
    assert await deliveries(kernel) == [(7, "sample.flaky", "waiting", 1)]
    # when it fails again, then succeeds
    for _ in range(2):
        await make_due(kernel)
        await drain(kernel)
    assert tries == [7, 7, 7]
    assert await effects(kernel, "flaky") == [7]
    assert await deliveries(kernel) == []


async def test_pauses_between_attempts_double_with_a_quarter_of_jitter(make_kernel):
    async def call(kernel, event):
        raise RuntimeError("never")

    kernel = await make_kernel(
        [sample(Handler(name="never", event=Counted, call=call))], events={"retry_seconds": 100.0}
    )
    await emit(kernel, 1)
    for expected in (100, 200, 400):
        await drain(kernel)
        seconds = await kernel.db.fetchval(
            "select extract(epoch from next_at - clock_timestamp())::float8 from kernel_delivery"
        )
        assert 0.75 * expected - 10 < seconds <= 1.25 * expected
        await make_due(kernel)


async def test_after_its_last_attempt_it_is_a_dead_letter_that_can_be_requeued(make_kernel):
    broken = True

    async def call(kernel, event):
        if broken:
            raise RuntimeError("the printer is on fire")
        await kernel.db.execute("insert into effect values ('late', $1)", event.number)

    kernel = await prepare(
        await make_kernel([sample(Handler(name="late", event=Counted, call=call, attempts=2))])
    )
    await emit(kernel, 1, 2)
    for _ in range(4):
        await make_due(kernel)
        await drain(kernel)
    # then both are dead, and are not tried any more
    dead = await kernel.events.list_dead()
    assert [(each.handler, each.topic, each.attempts) for each in dead] == [
        ("sample.late", "sample.counted", 2)
    ] * 2
    assert dead[0].error.startswith("RuntimeError: the printer is on fire [test_delivering.py:")
    assert await kernel.events.list_dead(first=1, after=dead[0].key) == [dead[1]]
    assert await kernel.events.backlog() == EventsBacklog(unrelayed=0, owed=0, dead=2)
    # when the cause is mended, one is requeued and the other given up
    broken = False
    assert await kernel.events.requeue([dead[0].key]) == 1
    assert await kernel.events.discard([dead[1].key]) == 1
    assert await kernel.events.requeue([dead[0].key, dead[1].key]) == 0
    await drain(kernel)
    assert await effects(kernel, "late") == [1]
    assert await kernel.events.backlog() == EventsBacklog(unrelayed=0, owed=0, dead=0)


async def test_a_poisoned_event_does_not_keep_its_batch_from_being_handled(make_kernel):
    calls = []

    async def call(kernel, events):
        calls.append(len(events))
        await kernel.db.execute(
            "insert into effect select 'many', unnest($1::int[])", [event.number for event in events]
        )
        if any(event.number in (13, 77) for event in events):
            raise ValueError("bad luck")

    kernel = await prepare(
        await make_kernel([sample(Handler(name="many", event=Counted, call=call, batch=True))])
    )
    await emit(kernel, *range(100))
    await drain(kernel)
    assert await effects(kernel, "many") == [number for number in range(100) if number not in (13, 77)]
    assert await deliveries(kernel) == [
        (13, "sample.many", "waiting", 1),
        (77, "sample.many", "waiting", 1),
    ]
    # halving needs few calls where one by one would need 101
    assert len(calls) < 30


async def test_one_failing_event_does_not_keep_the_others_of_its_message(make_kernel):
    async def call(kernel, event):
        await kernel.db.execute("insert into effect values ('one', $1)", event.number)
        if event.number == 2:
            raise ValueError("bad luck")

    kernel = await prepare(await make_kernel([sample(Handler(name="one", event=Counted, call=call))]))
    await emit(kernel, 1, 2, 3)
    await drain(kernel)
    assert await effects(kernel, "one") == [1, 3]


async def test_a_batch_that_takes_too_long_fails_as_a_whole(make_kernel, monkeypatch):
    calls = []

    async def call(kernel, events):
        calls.append(len(events))
        await asyncio.sleep(3600)

    monkeypatch.setattr(delivering, "HANDLER_SECONDS", 0.1)
    kernel = await make_kernel([sample(Handler(name="many", event=Counted, call=call, batch=True))])
    await emit(kernel, *range(8))
    await drain(kernel)
    # halving would wait as long for each half
    assert calls == [8]
    assert await deliveries(kernel) == [(number, "sample.many", "waiting", 1) for number in range(8)]


async def test_results_are_counted_by_handler(make_kernel):
    async def call(kernel, event):
        if event.number == 0:
            raise RuntimeError("no")

    def count(result):
        labels = {"handler": "metered.one", "result": result}
        return REGISTRY.get_sample_value("kameng_events_deliveries_total", labels) or 0

    module = sample(Handler(name="one", event=Counted, call=call, attempts=2), name="metered")
    kernel = await make_kernel([module])
    await emit(kernel, *range(5))
    await drain(kernel)
    await make_due(kernel)
    await drain(kernel)
    assert [count(result) for result in ("done", "failed", "dead")] == [4, 1, 1]
    assert REGISTRY.get_sample_value("kameng_events_lag_seconds_count", {"handler": "metered.one"}) == 4


async def test_transactions_that_got_in_each_others_way_are_tried_again_at_once(make_kernel):
    tries = []

    async def call(kernel, event):
        tries.append(event.number)
        if len(tries) < 3:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        await kernel.db.execute("insert into effect values ('one', $1)", event.number)

    kernel = await prepare(await make_kernel([sample(Handler(name="one", event=Counted, call=call))]))
    await emit(kernel, 1)
    await drain(kernel)
    assert tries == [1, 1, 1]
    assert await effects(kernel, "one") == [1]


async def test_a_handlers_own_connection_error_is_its_failure_not_an_outage(make_kernel):
    async def call(kernel, event):
        raise ConnectionRefusedError("somewhere else")

    kernel = await make_kernel([sample(Handler(name="one", event=Counted, call=call))])
    await emit(kernel, 1)
    await drain(kernel)
    assert await deliveries(kernel) == [(1, "sample.one", "waiting", 1)]


async def test_a_lost_connection_costs_an_attempt_at_most_and_no_effect_twice(make_kernel):
    tries = []

    async def call(kernel, event):
        tries.append(event.number)
        await kernel.db.execute("insert into effect values ('one', $1)", event.number)
        if len(tries) == 1:
            pid = await kernel.db.fetchval("select pg_backend_pid()")
            async with kernel.db.connection() as other:
                await other.execute("select pg_terminate_backend($1)", pid)

    kernel = await prepare(await make_kernel([sample(Handler(name="one", event=Counted, call=call))]))
    await emit(kernel, 1)
    await drain(kernel)
    await make_due(kernel)
    await drain(kernel)
    assert await effects(kernel, "one") == [1]


async def test_a_handler_that_this_worker_does_not_know_is_tried_later(make_kernel):
    kernel = await make_kernel([sample(ONE)])
    await emit(kernel, 1)
    [letter] = await relay(kernel)
    await kernel.db.execute("update kernel_delivery set handler = 'gone.away'")
    await Deliverer(kernel, first_pause=5).deliver("gone.away", *letter.content[1:])
    assert await deliveries(kernel) == [(1, "gone.away", "waiting", 1)]
    error = await kernel.db.fetchval("select last_error from kernel_delivery")
    assert error.startswith("BOOT_FAILED: No enabled module of this worker has a handler gone.away.")


async def test_a_late_copy_of_an_earlier_attempt_does_nothing(make_kernel):
    calls = []

    async def call(kernel, event):
        calls.append(event.number)
        raise RuntimeError("never")

    kernel = await make_kernel([sample(Handler(name="one", event=Counted, call=call))])
    await emit(kernel, 1)
    [letter] = await relay(kernel)
    deliverer = Deliverer(kernel, first_pause=5)
    await deliverer.deliver(*letter.content)
    await deliverer.deliver(*letter.content)
    assert calls == [1]
    assert await deliveries(kernel) == [(1, "sample.one", "waiting", 1)]


async def test_a_stopping_worker_returns_what_it_has_not_begun(make_kernel):
    deliverer = None

    async def call(kernel, event):
        await kernel.db.execute("insert into effect values ('one', $1)", event.number)
        deliverer.stop()

    kernel = await prepare(await make_kernel([sample(Handler(name="one", event=Counted, call=call))]))
    deliverer = Deliverer(kernel, first_pause=5)
    await emit(kernel, 1, 2, 3)
    [letter] = await relay(kernel)
    await deliverer.deliver(*letter.content)
    # then the first was finished, and the others are due now, not only when the lease ends
    assert await effects(kernel, "one") == [1]
    due = await kernel.db.fetchval("select count(*) from kernel_delivery where next_at <= clock_timestamp()")
    assert due == 2


async def test_fields_may_come_and_go_between_versions(make_kernel):
    read = []

    class Newer(Event, frozen=True, kw_only=True):
        name = "sample.counted"
        amount: int = 0
        number: int

    async def call(kernel, event):
        read.append(event)

    newer = Module(
        name="sample",
        version="2.0.0",
        events=(Newer,),
        handlers=(Handler(name="one", event=Newer, call=call),),
    )
    kernel = await make_kernel([newer])
    async with kernel.db.transaction():
        await kernel.events.emit(Counted(number=5, note="the newer version has no note"))
    await drain(kernel)
    assert read == [Newer(number=5, amount=0)]


async def test_an_event_that_cannot_be_read_fails_alone(make_kernel):
    kernel = await prepare(await make_kernel([sample(MANY)]))
    await emit(kernel, 1, 2, 3)
    await kernel.db.execute("update kernel_outbox set payload = '{}' where payload ->> 'number' = '2'")
    await drain(kernel)
    assert await effects(kernel, "many") == [1, 3]
    error = await kernel.db.fetchval("select last_error from kernel_delivery")
    assert error.startswith(f"{msgspec.ValidationError.__name__}: Object missing required field")


async def test_draining_inside_a_transaction_is_refused(make_kernel):
    kernel = await make_kernel([sample(ONE)])
    with pytest.raises(TransactionError, match="inside a transaction"):
        async with kernel.db.transaction():
            await drain(kernel)
