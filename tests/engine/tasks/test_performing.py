"""Running: with a lease that is kept alive, again after a failure, and never by two who both believe in it."""

import asyncio
from datetime import timedelta

from kameng.module import Task
from kameng.tasks import drain
from kameng.tasks.performing import Performer
from tests.engine.events.sample import effects, make_due, prepare, sample, until
from tests.engine.tasks.test_queue import send, write

LEASE = timedelta(seconds=30)


async def make(make_kernel, call, attempts=12, **sections):
    return await prepare(
        await make_kernel([sample(tasks=(Task(name="job", call=call, attempts=attempts),))], **sections)
    )


async def test_a_failed_task_is_tried_again_after_a_pause(make_kernel):
    tries = []

    async def call(kernel):
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("not today")

    kernel = await make(make_kernel, call)
    task = await kernel.tasks.enqueue("sample.job")
    await drain(kernel)
    found = await kernel.tasks.find(task)
    assert (found.state, found.attempts) == ("queued", 1)
    assert found.error.startswith("RuntimeError: not today [test_performing.py:")
    assert found.next_at > found.started_at + timedelta(seconds=3)
    for _ in range(2):
        await make_due(kernel)
        await drain(kernel)
    found = await kernel.tasks.find(task)
    assert (found.state, found.attempts, found.error) == ("done", 3, "")


async def test_after_its_last_attempt_a_task_is_a_dead_letter_that_can_be_requeued(make_kernel):
    broken = True

    async def call(kernel, number):
        if broken:
            raise RuntimeError("the printer is on fire")
        await write(kernel, number)

    kernel = await make(make_kernel, call, attempts=2)
    first = await kernel.tasks.enqueue("sample.job", number=1)
    second = await kernel.tasks.enqueue("sample.job", number=2)
    for _ in range(4):
        await make_due(kernel)
        await drain(kernel)
    dead = await kernel.tasks.list_dead()
    assert [(each.id, each.state, each.attempts) for each in dead] == [
        (first, "dead", 2),
        (second, "dead", 2),
    ]
    assert await kernel.tasks.list_dead(first=1, after=first) == [dead[1]]
    broken = False
    assert await kernel.tasks.requeue([first]) == 1
    assert await kernel.tasks.discard([second]) == 1
    assert await kernel.tasks.requeue([first, second]) == 0
    await drain(kernel)
    assert await effects(kernel, "task") == [1]
    assert await kernel.tasks.list_dead() == []


async def test_copies_of_a_message_run_the_task_once(make_kernel):
    kernel = await make(make_kernel, write)
    await kernel.tasks.enqueue("sample.job", number=1)
    [content] = await send(kernel)
    performers = [Performer(kernel, LEASE, 5) for _ in range(4)]
    await asyncio.gather(*(performer.perform(*content) for performer in performers))
    await performers[0].perform(*content)
    assert await effects(kernel, "task") == [1]


async def test_a_running_task_keeps_its_lease(make_kernel):
    go = asyncio.Event()

    async def call(kernel):
        await go.wait()

    kernel = await make(make_kernel, call)
    lease = timedelta(seconds=0.5)
    task = await kernel.tasks.enqueue("sample.job")
    performer = Performer(kernel, lease, 5)
    heart = asyncio.create_task(performer.keep_alive())
    run = asyncio.create_task(performer.perform(*(await send(kernel))[0]))
    began = await kernel.db.fetchval("select clock_timestamp()")

    async def three_leases_have_passed():
        return await kernel.db.fetchval("select clock_timestamp()") > began + 3 * lease

    async with kernel.db.connection() as connection:
        while not await three_leases_have_passed():
            # nobody else is told to run it
            rows = await connection.fetch("select state from kernel_task where next_at < clock_timestamp()")
            assert rows == []
            await asyncio.sleep(0.05)
    go.set()
    await run
    heart.cancel()
    assert (await kernel.tasks.find(task)).state == "done"


async def test_a_task_of_a_worker_that_fell_silent_is_run_by_another_and_the_first_is_stopped(make_kernel):
    ended = []

    async def call(kernel):
        try:
            await asyncio.sleep(3600 if not ended else 0)
            ended.append("done")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    kernel = await make(make_kernel, call)
    task = await kernel.tasks.enqueue("sample.job")
    silent = Performer(kernel, timedelta(seconds=1), 5)
    run = asyncio.create_task(silent.perform(*(await send(kernel))[0]))

    async def begun():
        return (await kernel.tasks.find(task)).state == "running"

    await until(begun)
    # given that no heartbeat comes for a lease, the relay sends it again
    await make_due(kernel)
    [again] = await send(kernel)
    assert again == (str(task), 1)
    # when the silent one hears of it, it stops
    heart = asyncio.create_task(silent.keep_alive())
    await run
    assert ended == ["cancelled"]
    # and the other one runs it to the end
    await Performer(kernel, LEASE, 5).perform(*again)
    heart.cancel()
    found = await kernel.tasks.find(task)
    assert (found.state, found.attempts, ended) == ("done", 2, ["cancelled", "done"])


async def test_the_first_of_two_runs_cannot_end_the_second(make_kernel):
    go = asyncio.Event()

    async def call(kernel):
        await go.wait()

    kernel = await make(make_kernel, call)
    task = await kernel.tasks.enqueue("sample.job")
    first = asyncio.create_task(Performer(kernel, LEASE, 5).perform(*(await send(kernel))[0]))

    async def attempt(number):
        return (await kernel.tasks.find(task)).attempts == number

    await until(lambda: attempt(1))
    await make_due(kernel)
    second = asyncio.create_task(Performer(kernel, LEASE, 5).perform(*(await send(kernel))[0]))
    await until(lambda: attempt(2))
    # when the first one believes that it is done
    await kernel.db.execute("update kernel_task set attempts = 3")
    go.set()
    await asyncio.gather(first, second)
    assert (await kernel.tasks.find(task)).state == "running"


async def test_a_task_that_kills_its_workers_is_dead_in_the_end(make_kernel):
    async def call(kernel):
        raise AssertionError("it is not run any more")

    kernel = await make(make_kernel, call, attempts=3)
    task = await kernel.tasks.enqueue("sample.job")
    # given that three workers have begun it and vanished
    await kernel.db.execute("update kernel_task set state = 'running', attempts = 3, next_at = now()")
    await drain(kernel)
    found = await kernel.tasks.find(task)
    assert found.state == "dead"
    assert found.error.startswith("BOOT_FAILED: Its worker died in each of 3 attempts, or was stopped.")


async def test_a_worker_that_breaks_off_gives_the_task_back_without_counting_the_attempt(make_kernel):
    async def call(kernel):
        await asyncio.sleep(3600)

    kernel = await make(make_kernel, call)
    task = await kernel.tasks.enqueue("sample.job")
    performer = Performer(kernel, LEASE, 5)
    run = asyncio.create_task(performer.perform(*(await send(kernel))[0]))

    async def begun():
        return (await kernel.tasks.find(task)).state == "running"

    await until(begun)
    performer.stop()
    performer.cancel()
    await run
    found = await kernel.tasks.find(task)
    assert (found.state, found.attempts) == ("queued", 0)
    assert len(await send(kernel)) == 1


async def test_a_stopping_worker_begins_nothing(make_kernel):
    kernel = await make(make_kernel, write)
    await kernel.tasks.enqueue("sample.job", number=1)
    performer = Performer(kernel, LEASE, 5)
    performer.stop()
    await performer.perform(*(await send(kernel))[0])
    assert await effects(kernel, "task") == []


async def test_a_task_that_this_worker_does_not_know_is_tried_later(make_kernel):
    kernel = await make(make_kernel, write)
    task = await kernel.tasks.enqueue("sample.job", number=1)
    await kernel.db.execute("update kernel_task set name = 'gone.away'")
    await drain(kernel)
    found = await kernel.tasks.find(task)
    assert (found.state, found.attempts) == ("queued", 1)
    assert found.error.startswith("BOOT_FAILED: No enabled module of this worker has a task gone.away.")


async def test_a_backlog_drains_in_batches(make_kernel):
    kernel = await make(make_kernel, write)
    async with kernel.db.transaction():
        for number in range(250):
            await kernel.tasks.enqueue("sample.job", number=number)
    sizes = []
    while contents := await send(kernel):
        sizes.append(len(contents))
    assert sizes == [100, 100, 50]
