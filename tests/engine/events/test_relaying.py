"""From the outbox to the broker: nothing is left behind, nothing gets its deliveries twice."""

import asyncio
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from kameng.events import relaying
from kameng.events.letters import EVENTS_LANE, LANES, Letter, Room
from kameng.events.relaying import DueDeliveries, EventsGauge, NewEvents, letters_for
from kameng.events.subscriptions import BATCH_CHUNK, SINGLE_CHUNK, Subscriptions
from tests.engine.events.sample import MANY, ONE, Unheard, deliveries, emit, sample

LEASE = timedelta(seconds=30)
ROOMY = Room(dict.fromkeys(LANES, 1))
FULL = Room(dict.fromkeys(LANES, 0))


@pytest.fixture
async def kernel(make_kernel):
    return await make_kernel([sample(ONE, MANY)])


async def run(kernel, relaying_round, room=ROOMY):
    async with kernel.db.connection() as connection:
        letters, _ = await relaying_round.run(connection, room)
    return letters


async def numbers_of(kernel, letters):
    """Handler and event numbers of each letter."""
    rows = await kernel.db.fetch("select id, (payload ->> 'number')::int as number from kernel_outbox")
    numbers = {row["id"]: row["number"] for row in rows}
    return [
        (key, attempts, [numbers[event] for event in events]) for key, attempts, events in contents(letters)
    ]


def contents(letters):
    return [letter.content for letter in letters]


async def test_each_subscribed_handler_gets_one_letter_with_all_events(kernel):
    await emit(kernel, 1, 2)
    await emit(kernel, 3)
    letters = await run(kernel, NewEvents(kernel.events.subscriptions, LEASE))
    assert await numbers_of(kernel, letters) == [("sample.one", 0, [1, 2, 3]), ("sample.many", 0, [1, 2, 3])]
    assert len(await deliveries(kernel)) == 6


async def test_what_was_relayed_is_not_relayed_again_by_anybody(kernel):
    await emit(kernel, 1)
    first, second = (NewEvents(kernel.events.subscriptions, LEASE) for _ in range(2))
    assert len(await run(kernel, first)) == 2
    assert await run(kernel, first) == []
    assert await run(kernel, second) == []


async def test_two_relays_at_once_share_the_events(kernel):
    await emit(kernel, *range(1200))
    rounds = [NewEvents(kernel.events.subscriptions, LEASE) for _ in range(3)]
    for _ in range(2):
        await asyncio.gather(*(run(kernel, each) for each in rounds))
    assert len(await deliveries(kernel)) == 2400


async def test_an_event_that_nobody_waits_for_is_done_with(kernel):
    async with kernel.db.transaction():
        await kernel.events.emit(Unheard())
    assert await run(kernel, NewEvents(kernel.events.subscriptions, LEASE)) == []
    assert (await kernel.events.backlog()).unrelayed == 0
    assert await deliveries(kernel) == []


async def test_an_event_whose_transaction_took_long_is_found_by_the_next_scan(kernel, monkeypatch):
    # given an event with a small id in an open transaction, and later ones that were relayed, many enough that
    # the relay goes on behind them
    new = NewEvents(kernel.events.subscriptions, LEASE)
    async with kernel.db.transaction():
        await emit(kernel, 1)
        async with kernel.db.connection() as other:
            await other.execute(
                """insert into kernel_outbox (topic, payload)
                   select 'sample.counted', json_build_object('number', n) from generate_series(2, 1001) as n"""
            )
        for _ in range(2):
            async with kernel.db.connection() as connection:
                await new.run(connection, ROOMY)
    # when the next round comes, it starts behind them
    assert await run(kernel, new) == []
    # but the next scan starts from the beginning
    later = time.monotonic() + relaying.RESCAN_SECONDS
    monkeypatch.setattr(relaying, "time", SimpleNamespace(monotonic=lambda: later))
    letters = await run(kernel, new)
    assert await numbers_of(kernel, letters) == [("sample.one", 0, [1]), ("sample.many", 0, [1])]


async def test_a_backlog_drains_in_batches(kernel):
    await emit(kernel, *range(1234))
    new = NewEvents(kernel.events.subscriptions, LEASE)
    sizes = []
    while letters := await run(kernel, new):
        sizes.append(sum(len(events) for key, _, events in contents(letters) if key == "sample.many"))
    assert sizes == [500, 500, 234]


async def test_without_room_at_the_broker_events_wait_in_the_database(kernel):
    await emit(kernel, 1)
    assert await run(kernel, NewEvents(kernel.events.subscriptions, LEASE), FULL) == []
    assert (await kernel.events.backlog()).unrelayed == 1


async def test_a_delivery_is_sent_again_when_its_lease_is_over_and_not_before(kernel):
    await emit(kernel, 1)
    await run(kernel, NewEvents(kernel.events.subscriptions, LEASE))
    due = DueDeliveries(kernel.events.subscriptions, LEASE)
    assert await run(kernel, due) == []
    await kernel.db.execute("update kernel_delivery set next_at = now() - interval '1 second'")
    due.restart()
    assert sorted(await numbers_of(kernel, await run(kernel, due))) == [
        ("sample.many", 0, [1]),
        ("sample.one", 0, [1]),
    ]
    # and then its lease runs anew
    due.restart()
    assert await run(kernel, due) == []


async def test_when_the_broker_lost_its_messages_they_are_sent_again_at_once(kernel):
    await emit(kernel, 1, 2)
    await run(kernel, NewEvents(kernel.events.subscriptions, LEASE))
    await kernel.db.execute("update kernel_delivery set state = 'waiting' where handler = 'sample.one'")
    emptied = Room(dict.fromkeys(LANES, 1), emptied=True)
    letters = await run(kernel, DueDeliveries(kernel.events.subscriptions, LEASE), emptied)
    # what waits for the end of its pause was not with the broker
    assert await numbers_of(kernel, letters) == [("sample.many", 0, [1, 2])]


async def test_the_backlog_is_measured(kernel):
    await emit(kernel, 1, 2, 3)
    await run(kernel, NewEvents(kernel.events.subscriptions, LEASE))
    await emit(kernel, 4)
    await run(kernel, EventsGauge())
    measured = [
        REGISTRY.get_sample_value("kameng_events_backlog", {"state": state})
        for state in ("unrelayed", "owed", "dead")
    ]
    assert measured == [1, 6, 0]


def test_letters_are_cut_to_what_suits_the_handler():
    groups = [("sample.one", 0, range(SINGLE_CHUNK + 1)), ("sample.many", 2, range(BATCH_CHUNK + 1))]
    assert letters_for(Subscriptions([sample(ONE, MANY)]), groups) == [
        Letter(EVENTS_LANE, ("sample.one", 0, list(range(SINGLE_CHUNK)))),
        Letter(EVENTS_LANE, ("sample.one", 0, [SINGLE_CHUNK])),
        Letter(EVENTS_LANE, ("sample.many", 2, list(range(BATCH_CHUNK)))),
        Letter(EVENTS_LANE, ("sample.many", 2, [BATCH_CHUNK])),
    ]
