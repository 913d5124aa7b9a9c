"""The bell: heard by all processes of the deployment, and by no other."""

import asyncio
from contextlib import asynccontextmanager, suppress

from kameng.events.bell import EVENTS, RELAY, TASKS, Bell, deployment_key
from kameng.kernel import Kernel
from tests.engine.events.sample import emit, sample, until


@asynccontextmanager
async def listening(kernel):
    """What is rung, after the call to everybody at the beginning."""
    heard = []
    task = asyncio.create_task(Bell(kernel).listen(heard.append))

    async def up():
        return len(heard) == 3

    try:
        await until(up)
        assert heard == [RELAY, EVENTS, TASKS]
        heard.clear()
        yield heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_an_event_rings_for_the_relay_when_its_transaction_has_committed(make_kernel):
    kernel = await make_kernel([sample()])
    async with listening(kernel) as heard:
        async with kernel.db.transaction():
            await emit(kernel, 1)
            await asyncio.sleep(0.1)
            assert heard == []

        async def rung():
            return heard == [RELAY]

        await until(rung)


async def test_a_rolled_back_event_does_not_ring(make_kernel):
    kernel = await make_kernel([sample()])
    async with listening(kernel) as heard:
        with suppress(ZeroDivisionError):
            async with kernel.db.transaction():
                await emit(kernel, 1)
                raise ZeroDivisionError
        kernel.events.bell.ring(TASKS)

        async def rung():
            return TASKS in heard

        await until(rung)
        assert heard == [TASKS]


async def test_many_rings_at_once_are_few(make_kernel):
    kernel = await make_kernel([sample()])
    async with listening(kernel) as heard:
        for _ in range(1000):
            kernel.events.bell.ring()
        await asyncio.sleep(0.2)
        assert 1 <= len(heard) <= 2


async def test_processes_of_one_deployment_share_a_bell_and_others_do_not(make_kernel):
    kernel, other = await make_kernel([sample()]), await make_kernel([sample()])
    # given a second process of the same deployment, which spells the address of its database differently
    settings = kernel.settings.with_values(
        "kameng", database_url=kernel.settings.engine.database_url + "?application_name=other"
    )
    async with Kernel(settings, [sample()]) as second:
        assert await deployment_key(second) == await deployment_key(kernel)
    assert await deployment_key(other) != await deployment_key(kernel)


async def test_a_line_that_breaks_is_taken_up_again(make_kernel):
    kernel = await make_kernel([sample()])
    async with listening(kernel) as heard:
        await kernel.valkey.client_kill_filter(_type="pubsub", skipme=True)

        async def called():
            return heard[:3] == [RELAY, EVENTS, TASKS]

        # then everybody is called, since nobody knows what was rung meanwhile
        await until(called)
