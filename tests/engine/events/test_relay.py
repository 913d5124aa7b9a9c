"""One relay leads, the others stand by, and one of them takes over when the leader is gone."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from kameng.events import relay as relay_module
from kameng.events.letters import LANES, Letter, Room
from kameng.events.relay import LOCK, Relay
from tests.engine.events.sample import sample, until


class Post:
    """A broker that can be away."""

    def __init__(self):
        self.sent = []
        self.away = False

    async def room(self):
        return Room(dict.fromkeys(LANES, 1))

    async def send(self, letters):
        if self.away:
            raise ConnectionRefusedError("the broker is away")
        self.sent += letters


class Clock:
    """A round with a letter for each time that it is run, up to a number."""

    def __init__(self, letters=0):
        self.rounds = 0
        self.left = letters

    def restart(self):
        pass

    async def run(self, connection, room):
        self.rounds += 1
        if not self.left:
            return [], 0.01
        self.left -= 1
        return [Letter("events", (self.left,))], 0.01


class Broken:
    def restart(self):
        pass

    async def run(self, connection, room):
        raise ZeroDivisionError


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(relay_module, "STANDBY_SECONDS", 0.05)


@asynccontextmanager
async def running(*relays):
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def backend_of_the_leader(kernel):
    return await kernel.db.fetchval(
        "select pid from pg_locks where locktype = 'advisory' and (classid::bigint << 32) + objid::bigint = $1",
        LOCK,
    )


async def test_of_many_one_leads_and_when_it_stops_another_one_does(make_kernel):
    kernel = await make_kernel([sample()])
    relays = [Relay(kernel, Post(), [Clock()]) for _ in range(3)]

    async def one_leads():
        return sum(relay.leading for relay in relays) == 1

    async with running(*relays) as tasks:
        await until(one_leads)
        [leader] = [number for number, relay in enumerate(relays) if relay.leading]
        tasks[leader].cancel()
        with suppress(asyncio.CancelledError):
            await tasks[leader]
        assert not relays[leader].leading
        await until(one_leads)


async def test_a_leader_that_loses_its_connection_is_no_leader(make_kernel):
    kernel = await make_kernel([sample()])
    relays = [Relay(kernel, Post(), [Clock()]) for _ in range(2)]

    async def led():
        return await backend_of_the_leader(kernel) is not None

    async with running(*relays):
        await until(led)
        before = await backend_of_the_leader(kernel)
        await kernel.db.execute("select pg_terminate_backend($1)", before)

        async def led_again():
            now = await backend_of_the_leader(kernel)
            return now is not None and now != before and sum(relay.leading for relay in relays) == 1

        await until(led_again)


async def test_letters_that_could_not_be_sent_are_sent_when_the_broker_is_back(make_kernel):
    kernel = await make_kernel([sample()])
    post, clock = Post(), Clock(letters=3)
    post.away = True
    relay = Relay(kernel, post, [clock])
    async with running(relay):

        async def tried():
            return clock.left < 3

        async def all_sent():
            return len(post.sent) >= 3

        await until(tried)
        post.away = False
        await until(all_sent)
    assert sorted(letter.content for letter in post.sent) == [(0,), (1,), (2,)]


async def test_a_part_that_fails_does_not_keep_the_others_from_their_work(make_kernel):
    kernel = await make_kernel([sample()])
    clock = Clock()
    relay = Relay(kernel, Post(), [Broken(), clock])

    async def went_on():
        return clock.rounds >= 3

    async with running(relay):
        await until(went_on)


async def test_a_ring_wakes_a_relay_that_waits(make_kernel):
    class Idle(Clock):
        async def run(self, connection, room):
            self.rounds += 1
            return [], 3600.0

    kernel = await make_kernel([sample()])
    idle = Idle()
    relay = Relay(kernel, Post(), [idle])

    async def ran_once():
        return idle.rounds == 1

    async def ran_again():
        return idle.rounds == 2

    async with running(relay):
        await until(ran_once)
        relay.wake()
        await until(ran_again)
