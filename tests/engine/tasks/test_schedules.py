"""Schedules: once for each interval in the whole deployment."""

import asyncio
from datetime import timedelta

from kameng.events.letters import LANES, Room
from kameng.module import Task
from kameng.tasks import drain
from kameng.tasks.dispatching import Schedules
from kameng.tasks.registry import KERNEL_TASKS
from tests.engine.events.sample import effects, prepare, sample

ROOMY = Room(dict.fromkeys(LANES, 1))


async def tick(kernel):
    await kernel.db.execute("insert into effect values ('tick', 1)")


def modules(every=timedelta(hours=1)):
    return [sample(tasks=(Task(name="tick", call=tick, every=every),))]


async def look(kernel, schedules):
    """Run the round; how many runs of our task have been enqueued so far."""
    async with kernel.db.connection() as connection:
        await schedules.run(connection, ROOMY)
    return await kernel.db.fetchval("select count(*) from kernel_task where name = 'sample.tick'")


async def test_a_new_schedule_starts_at_once_and_then_once_an_interval(make_kernel):
    kernel = await prepare(await make_kernel(modules()))
    schedules = Schedules(kernel.tasks.known)
    assert await look(kernel, schedules) == 1
    await drain(kernel)
    assert await look(kernel, schedules) == 1
    assert await effects(kernel, "tick") == [1]
    # when an hour has passed
    await kernel.db.execute(
        "update kernel_schedule set last_started_at = last_started_at - interval '61 minutes'"
    )
    schedules.restart()
    assert await look(kernel, schedules) == 2
    await drain(kernel)
    assert await effects(kernel, "tick") == [1, 1]


async def test_a_restart_does_not_start_it_again(make_kernel):
    kernel = await prepare(await make_kernel(modules()))
    assert await look(kernel, Schedules(kernel.tasks.known)) == 1
    await drain(kernel)
    assert await look(kernel, Schedules(kernel.tasks.known)) == 1


async def test_several_schedulers_at_once_start_it_once(make_kernel):
    kernel = await prepare(await make_kernel(modules()))
    counts = await asyncio.gather(*(look(kernel, Schedules(kernel.tasks.known)) for _ in range(5)))
    assert max(counts) == 1


async def test_intervals_in_which_nobody_ran_are_not_made_up_for(make_kernel):
    kernel = await prepare(await make_kernel(modules()))
    assert await look(kernel, Schedules(kernel.tasks.known)) == 1
    await drain(kernel)
    await kernel.db.execute(
        "update kernel_schedule set last_started_at = now() - interval '10 hours 10 minutes'"
    )
    assert await look(kernel, Schedules(kernel.tasks.known)) == 2
    await drain(kernel)
    assert await look(kernel, Schedules(kernel.tasks.known)) == 2


async def test_starts_keep_their_beat(make_kernel):
    kernel = await prepare(await make_kernel(modules()))
    assert await look(kernel, Schedules(kernel.tasks.known)) == 1
    await drain(kernel)
    # given that it is looked at some minutes late, the next start is not later for that
    before = await kernel.db.fetchval(
        """update kernel_schedule set last_started_at = now() - interval '65 minutes'
           where name = 'sample.tick' returning last_started_at"""
    )
    assert await look(kernel, Schedules(kernel.tasks.known)) == 2
    after = await kernel.db.fetchval("select last_started_at from kernel_schedule where name = 'sample.tick'")
    assert after - before == timedelta(hours=1)


async def test_a_run_that_is_not_over_keeps_the_next_one_from_starting(make_kernel):
    kernel = await prepare(await make_kernel(modules()))
    assert await look(kernel, Schedules(kernel.tasks.known)) == 1
    await kernel.db.execute(
        "update kernel_schedule set last_started_at = last_started_at - interval '61 minutes'"
    )
    assert await look(kernel, Schedules(kernel.tasks.known)) == 1
    await drain(kernel)
    await kernel.db.execute(
        "update kernel_schedule set last_started_at = last_started_at - interval '61 minutes'"
    )
    assert await look(kernel, Schedules(kernel.tasks.known)) == 2


async def test_the_kernels_own_tasks_are_scheduled(make_kernel):
    kernel = await make_kernel(modules())
    async with kernel.db.connection() as connection:
        await Schedules(kernel.tasks.known).run(connection, ROOMY)
    await drain(kernel)
    rows = await kernel.db.fetch("select name, state from kernel_task where name like 'kernel.%'")
    assert {tuple(row) for row in rows} == {
        (f"kernel.{task.name}", "done") for task in KERNEL_TASKS if task.every
    }
    assert {"kernel.prune_events", "kernel.prune_tasks"} <= {name for name, _ in rows}
