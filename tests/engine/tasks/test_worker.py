"""The whole way: through the relay, Dramatiq and Valkey, in one process and in several."""

import asyncio
from datetime import timedelta

import asyncpg
from redis.asyncio import Redis

from kameng.events.bell import deployment_key
from kameng.module import Handler, Task
from kameng.tasks.broker import LaneBroker
from kameng.tasks.worker import Worker
from tests.engine.events.sample import MANY, ONE, Counted, effects, emit, prepare, sample, until
from tests.engine.tasks.test_queue import write

JOB = Task(name="job", call=write)


async def test_events_and_tasks_reach_their_handlers(make_kernel):
    kernel = await prepare(await make_kernel([sample(ONE, MANY, tasks=(JOB,))]))
    async with Worker(kernel):
        await emit(kernel, *range(50))
        await kernel.tasks.enqueue("sample.job", number=1)

        async def handled():
            counts = [len(await effects(kernel, name)) for name in ("one", "many", "task")]
            return counts == [50, 50, 1]

        await until(handled)
    assert await effects(kernel, "one") == list(range(50))
    assert await effects(kernel, "many") == list(range(50))


async def test_two_kernels_in_one_process_do_not_see_each_others_work(make_kernel):
    kernels = [await prepare(await make_kernel([sample(ONE)])) for _ in range(2)]
    # given two deployments on the same Valkey database
    for kernel in kernels:
        kernel.settings = kernel.settings.with_values(
            "kameng", redis_url=kernels[0].settings.engine.redis_url
        )
    async with Worker(kernels[0]), Worker(kernels[1]):
        await emit(kernels[0], 1, 2)
        await emit(kernels[1], 3)

        async def handled():
            return [len(await effects(kernel, "one")) for kernel in kernels] == [2, 1]

        await until(handled)
    assert await effects(kernels[0], "one") == [1, 2]
    assert await effects(kernels[1], "one") == [3]


async def test_several_workers_share_the_work(make_kernel):
    kernel = await prepare(await make_kernel([sample(ONE)]))
    async with Worker(kernel), Worker(kernel), Worker(kernel, lanes=False):
        await emit(kernel, *range(200))

        async def handled():
            return len(await effects(kernel, "one")) >= 200

        await until(handled)
    assert await effects(kernel, "one") == list(range(200))


async def test_what_the_broker_loses_is_sent_again(make_kernel):
    kernel = await prepare(await make_kernel([sample(ONE)]))
    # given a relay without workers, whose messages wait in Valkey
    async with Worker(kernel, lanes=False):
        await emit(kernel, *range(30))
        namespace = await deployment_key(kernel)

        async def waiting():
            return await kernel.valkey.llen(f"{namespace}:events") >= 1

        await until(waiting)
        # when Valkey loses everything
        await kernel.valkey.flushdb()
        # then the messages are there again, long before the lease of half a minute is over
        await until(waiting)
        async with Worker(kernel, relay=False):

            async def handled():
                return len(await effects(kernel, "one")) >= 30

            await until(handled)
    assert await effects(kernel, "one") == list(range(30))


async def test_a_worker_goes_on_when_all_its_connections_were_cut(make_kernel):
    # what was on its way when its connection was cut waits for the end of its lease
    kernel = await prepare(
        await make_kernel(
            [sample(ONE, tasks=(JOB,))],
            events={"retry_seconds": 0.1, "lease_seconds": 1},
            tasks={"retry_seconds": 0.1, "lease_seconds": 1},
        )
    )
    async with Worker(kernel):
        for number in range(5):
            # Connections of the round before may still be found cut; nothing was begun with them.
            while True:
                try:
                    await emit(kernel, number)
                    break
                except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                    await asyncio.sleep(0.05)
            await kernel.tasks.enqueue("sample.job", number=number)
            await asyncio.sleep(0.1)
            # by a client of its own: the kernel's are among those that are cut
            async with Redis.from_url(kernel.settings.engine.redis_url) as other:
                await other.client_kill_filter(skipme=True)
            async with kernel.db.connection() as connection:
                await connection.execute(
                    """select pg_terminate_backend(pid) from pg_stat_activity
                       where datname = current_database() and pid <> pg_backend_pid()"""
                )

        async def handled():
            try:
                return [len(await effects(kernel, name)) for name in ("one", "task")] >= [5, 5]
            except ConnectionError:
                return False

        await until(handled)
    assert await effects(kernel, "one") == [0, 1, 2, 3, 4]


async def test_a_worker_that_stops_finishes_what_it_has_begun(make_kernel):
    begun = asyncio.Event()

    async def call(kernel, event):
        begun.set()
        await asyncio.sleep(0.3)
        await kernel.db.execute("insert into effect values ('slow', $1)", event.number)

    kernel = await prepare(await make_kernel([sample(Handler(name="slow", event=Counted, call=call))]))
    async with Worker(kernel):
        await emit(kernel, 1)
        await begun.wait()
    assert await effects(kernel, "slow") == [1]


async def test_a_worker_that_stops_returns_what_takes_too_long(make_kernel):
    begun = asyncio.Event()

    async def call(kernel):
        begun.set()
        await asyncio.sleep(3600)

    async def handle(kernel, event):
        await kernel.db.execute("insert into effect values ('slow', $1)", event.number)
        await asyncio.sleep(3600)

    module = sample(Handler(name="slow", event=Counted, call=handle), tasks=(Task(name="long", call=call),))
    kernel = await prepare(await make_kernel([module], tasks={"stop_seconds": 0.2}))
    async with Worker(kernel):
        await emit(kernel, 1)
        task = await kernel.tasks.enqueue("sample.long")
        await begun.wait()
    found = await kernel.tasks.find(task)
    assert (found.state, found.attempts) == ("queued", 0)
    assert await effects(kernel, "slow") == []
    assert (await kernel.events.backlog()).owed == 1


async def test_messages_fetched_and_not_begun_go_back_to_the_queue(make_kernel):
    begun, go = asyncio.Event(), asyncio.Event()

    async def call(kernel):
        begun.set()
        await go.wait()

    module = sample(tasks=(Task(name="long", call=call),))
    kernel = await make_kernel([module], kameng={"worker_threads": 1})
    async with Worker(kernel):
        for _ in range(100):
            await kernel.tasks.enqueue("sample.long")
        await begun.wait()
        await asyncio.sleep(0.3)
        # The one that was begun ends while the worker stops.
        asyncio.get_running_loop().call_later(1, go.set)
    namespace = await deployment_key(kernel)
    counts = dict(await kernel.db.fetch("select state, count(*) from kernel_task group by 1"))
    # then whatever was not done is with the queue, and nothing hangs on the worker that is gone
    assert await kernel.valkey.llen(f"{namespace}:tasks") == counts["sent"] > 0
    assert set(counts) == {"done", "sent"}


async def test_a_scheduled_task_is_run(make_kernel):
    async def tick(kernel):
        await kernel.db.execute("insert into effect values ('tick', 1)")

    every = Task(name="tick", call=tick, every=timedelta(hours=1))
    kernel = await prepare(await make_kernel([sample(tasks=(every,))]))
    async with Worker(kernel), Worker(kernel):

        async def ticked():
            return len(await effects(kernel, "tick")) > 0

        await until(ticked)
    assert await effects(kernel, "tick") == [1]


async def test_a_lane_has_no_second_queue_for_delayed_messages(make_kernel):
    kernel = await make_kernel([sample()])
    broker = LaneBroker(kernel.settings.engine.redis_url, "test", "events")
    assert broker.get_declared_queues() == {"events"}
    assert broker.get_declared_delay_queues() == set()
    broker.close()
