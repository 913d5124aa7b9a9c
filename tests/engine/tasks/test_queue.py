"""Enqueueing: a row in the caller's transaction, once for each key."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from kameng.events.letters import LANES, Room
from kameng.module import Task
from kameng.tasks import TaskMisuseError, drain
from kameng.tasks.dispatching import DueTasks
from tests.engine.events.sample import effects, prepare, sample


async def write(kernel, number):
    await kernel.db.execute("insert into effect values ('task', $1)", number)


@pytest.fixture
async def kernel(make_kernel):
    return await prepare(await make_kernel([sample(tasks=(Task(name="write", call=write),))]))


async def send(kernel, room=None):
    """What the relay would send now."""
    async with kernel.db.connection() as connection:
        letters, _ = await DueTasks(timedelta(seconds=30)).run(
            connection, room or Room(dict.fromkeys(LANES, 1))
        )
    return [letter.content for letter in letters]


async def test_a_task_is_run_with_its_arguments(kernel):
    task = await kernel.tasks.enqueue("sample.write", number=7)
    assert (await kernel.tasks.find(task)).state == "queued"
    await drain(kernel)
    assert await effects(kernel, "task") == [7]
    found = await kernel.tasks.find(task)
    assert (found.name, found.state, found.attempts, found.error) == ("sample.write", "done", 1, "")
    assert found.created_at <= found.started_at <= found.done_at


async def test_a_task_of_a_rolled_back_transaction_is_never_run(kernel):
    with pytest.raises(ZeroDivisionError):
        async with kernel.db.transaction():
            await kernel.tasks.enqueue("sample.write", number=7)
            raise ZeroDivisionError
    await drain(kernel)
    assert await effects(kernel, "task") == []


async def test_a_key_is_used_once_also_after_the_task_is_done(kernel):
    first = await kernel.tasks.enqueue("sample.write", key="order 1", number=1)
    assert await kernel.tasks.enqueue("sample.write", key="order 1", number=2) == first
    await drain(kernel)
    assert await kernel.tasks.enqueue("sample.write", key="order 1", number=3) == first
    assert await kernel.tasks.enqueue("sample.write", key="order 2", number=4) != first
    await drain(kernel)
    assert await effects(kernel, "task") == [1, 4]


async def test_a_key_is_used_once_also_by_callers_at_the_same_time(kernel):
    async def enqueue(number):
        async with kernel.db.transaction():
            task = await kernel.tasks.enqueue("sample.write", key="order 1", number=number)
            await asyncio.sleep(0.05)
            return task

    tasks = await asyncio.gather(*(enqueue(number) for number in range(8)))
    assert len(set(tasks)) == 1
    await drain(kernel)
    assert len(await effects(kernel, "task")) == 1


async def test_a_delayed_task_is_not_sent_before_its_time(kernel):
    await kernel.tasks.enqueue("sample.write", delay=timedelta(hours=1), number=1)
    assert await send(kernel) == []
    await kernel.db.execute("update kernel_task set next_at = next_at - interval '1 hour'")
    assert len(await send(kernel)) == 1


async def test_a_delayed_task_is_not_sent_early_because_the_broker_lost_its_messages(kernel):
    sent = await kernel.tasks.enqueue("sample.write", number=1)
    await send(kernel)
    await kernel.tasks.enqueue("sample.write", delay=timedelta(seconds=20), number=2)
    assert await send(kernel, Room(dict.fromkeys(LANES, 1), emptied=True)) == [(str(sent), 0)]


async def test_without_room_at_the_broker_tasks_wait_in_the_database(kernel):
    await kernel.tasks.enqueue("sample.write", number=1)
    assert await send(kernel, Room(dict.fromkeys(LANES, 0))) == []
    assert len(await send(kernel)) == 1


async def test_an_unknown_task_is_refused_at_once(kernel):
    with pytest.raises(TaskMisuseError, match=r"No enabled module has a task 'sample\.wrote'"):
        await kernel.tasks.enqueue("sample.wrote", number=1)


@pytest.mark.parametrize("value", [uuid4(), float("nan"), object(), {1, 2}, b"bytes"])
async def test_arguments_that_are_no_json_are_refused_at_once(kernel, value):
    with pytest.raises(TaskMisuseError, match="are no JSON values"):
        await kernel.tasks.enqueue("sample.write", number=value)
    assert await kernel.db.fetchval("select count(*) from kernel_task") == 0


async def test_nothing_is_known_of_a_task_that_never_was(kernel):
    assert await kernel.tasks.find(uuid4()) is None
