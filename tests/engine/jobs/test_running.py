"""Jobs are run once, chunk by chunk, and end in the state that tells what came of them."""

from __future__ import annotations

import asyncio

import pytest

from kameng.auth import VISITOR
from kameng.errors import Forbidden, NotFound, Unauthenticated
from kameng.jobs import JobCannotBeRolledBack, JobMisuseError, JobNotOpen, JobRun, JobState
from kameng.jobs.running import run_job
from kameng.kernel import Kernel
from kameng.tasks import drain
from kameng.testing.kernels import Kernels

from .sample import CLERK, TABLES, Stumbles, again, clerk, counted, kind, module


async def start(kernel: Kernel, to: int = 25, **options: object):
    return await kernel.jobs.start("sample.count", principal=CLERK, to=to, **options)


async def test_a_job_is_run_to_its_end(kernel: Kernel) -> None:
    job = await start(kernel)
    assert (job.state, job.rows_total) == (JobState.QUEUED, None)

    await drain(kernel)

    done = await again(kernel, job)
    assert (done.state, done.rows_done, done.rows_total) == (JobState.SUCCEEDED, 25, 25)
    assert done.result is not None
    assert done.result.counts == {"counted": 25}
    assert await counted(kernel, job) == list(range(1, 26))
    (file,) = (await kernel.jobs.files.of_jobs([job.id]))[job.id]
    assert (file.role, file.name, file.size) == ("output", "numbers.csv", 9 * 2 + 16 * 3)
    page = await kernel.audit.page(subject=f"job:{job.id}")
    assert [entry.action for entry in page.entries] == ["kernel.job_started"]


async def test_a_job_of_a_transaction_that_fails_never_was(kernel: Kernel) -> None:
    with pytest.raises(ZeroDivisionError):
        async with kernel.db.transaction():
            await start(kernel)
            raise ZeroDivisionError
    assert await drain(kernel) == 0
    assert await kernel.db.fetchval("select count(*) from kernel_job") == 0


async def test_a_job_that_is_delivered_twice_is_done_once(kernel: Kernel) -> None:
    job = await start(kernel, to=50, pause=0.01)
    await asyncio.gather(*(run_job(kernel, str(job.id)) for _ in range(5)))
    await drain(kernel)
    assert await counted(kernel, job) == list(range(1, 51))
    assert (await again(kernel, job)).fence == 1


async def test_whoever_lost_a_job_commits_nothing_more(kernel: Kernel) -> None:
    # Given a run that is in the middle of a chunk
    job = await start(kernel, to=20, pause=0.5)
    slow = asyncio.ensure_future(run_job(kernel, str(job.id)))
    while (await again(kernel, job)).fence == 0:
        await asyncio.sleep(0.01)
    # When it is held for dead, and another run takes the job
    await kernel.db.execute("update kernel_job set heartbeat_at = now() - interval '1 hour'")
    await asyncio.gather(slow, run_job(kernel, str(job.id)))
    # Then the first one's chunk is undone, and the second did all of it
    done = await again(kernel, job)
    assert (done.state, done.fence) == (JobState.SUCCEEDED, 2)
    assert await counted(kernel, job) == list(range(1, 21))


async def test_a_dry_run_writes_nothing_and_cannot_be_rolled_back(kernel: Kernel) -> None:
    job = await start(kernel, dry_run=True)
    await drain(kernel)
    assert await counted(kernel, job) == []
    with pytest.raises(JobCannotBeRolledBack, match="changed nothing"):
        await kernel.jobs.roll_back(job.id, CLERK)


async def test_a_job_is_cancelled_between_chunks_and_what_it_did_can_be_rolled_back(kernel: Kernel) -> None:
    job = await start(kernel, to=1000, pause=0.05)
    running = asyncio.ensure_future(run_job(kernel, str(job.id)))
    while (await again(kernel, job)).rows_done < 20:
        await asyncio.sleep(0.01)

    await kernel.jobs.cancel(job.id, CLERK)
    await running

    cancelled = await again(kernel, job)
    written = await counted(kernel, job)
    assert cancelled.state is JobState.CANCELLED
    assert written == list(range(1, cancelled.rows_done + 1))
    assert 20 <= len(written) < 1000
    # When it is rolled back after somebody changed one of the rows
    await kernel.db.execute("update counted set number = -3 where number = 3")
    await kernel.jobs.roll_back(job.id, CLERK)
    await drain(kernel)
    # Then all others are gone, and that is told
    undone = await again(kernel, job)
    assert undone.state is JobState.ROLLED_BACK
    assert undone.undone is not None
    assert undone.undone.counts == {"restored": len(written) - 1, "left_alone": 1}
    assert await counted(kernel, job) == [-3]
    with pytest.raises(JobCannotBeRolledBack, match="ROLLED_BACK"):
        await kernel.jobs.roll_back(job.id, CLERK)


async def test_a_waiting_job_is_cancelled_at_once(kernel: Kernel) -> None:
    job = await start(kernel)
    assert (await kernel.jobs.cancel(job.id, CLERK)).state is JobState.CANCELLED
    await drain(kernel)
    assert await counted(kernel, job) == []
    with pytest.raises(JobNotOpen):
        await kernel.jobs.cancel(job.id, CLERK)


async def test_a_refusal_ends_a_job_with_its_reason(kernel: Kernel) -> None:
    job = await start(kernel, fail_at=15)
    await drain(kernel)
    failed = await again(kernel, job)
    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert (failed.error.code, failed.error.cure) == ("INVALID_INPUT", "Take another one.")
    # The chunk before is there, the one that was refused is not.
    assert await counted(kernel, job) == list(range(1, 11))
    assert failed.rows_done == 10


async def test_a_job_that_stumbles_is_tried_again_and_its_error_shows_no_values(make_kernel: Kernels) -> None:
    stumbles = Stumbles(2)
    kernel = await make_kernel(
        [module(kind("stumble", stumbles, attempts=3), kind("fall", Stumbles(9), attempts=2))]
    )
    one = await kernel.jobs.start("sample.stumble", principal=CLERK)
    other = await kernel.jobs.start("sample.fall", principal=CLERK)
    for _ in range(4):
        await drain(kernel)
        await kernel.db.execute("update kernel_task set next_at = now() where state = 'queued'")
    assert (await again(kernel, one)).state is JobState.SUCCEEDED
    failed = await again(kernel, other)
    assert (failed.state, failed.fence) == (JobState.FAILED, 2)
    assert failed.error is not None
    assert failed.error.code == "JOB_FAILED"
    assert "4711" not in failed.error.message


async def test_a_job_whose_worker_died_too_often_has_failed(kernel: Kernel) -> None:
    job = await start(kernel)
    await kernel.db.execute("update kernel_job set tries = 5")
    await drain(kernel)
    failed = await again(kernel, job)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == (JobState.FAILED, "JOB_DIED")


async def test_no_more_jobs_run_at_once_than_may(make_kernel: Kernels) -> None:
    kernel = await make_kernel([module()], jobs={"at_once": 1})
    await kernel.db.execute(TABLES)
    jobs = [await start(kernel, to=10, pause=0.2) for _ in range(3)]
    await asyncio.gather(*(run_job(kernel, str(job.id)) for job in jobs))
    states = sorted([(await again(kernel, job)).state.value for job in jobs])
    assert states == ["QUEUED", "QUEUED", "SUCCEEDED"]
    # Whoever ends has the next one run.
    await drain(kernel)
    assert [(await again(kernel, job)).state for job in jobs] == [JobState.SUCCEEDED] * 3


async def test_only_those_with_the_permission_start_and_see_a_kind(kernel: Kernel) -> None:
    job = await start(kernel)
    stranger = clerk("sample.other")
    with pytest.raises(Forbidden, match=r"sample\.count"):
        await kernel.jobs.start("sample.count", principal=stranger, to=1)
    with pytest.raises(Unauthenticated):
        await kernel.jobs.start("sample.count", principal=VISITOR, to=1)
    assert await kernel.jobs.find(job.id, stranger) is None
    for act in (kernel.jobs.cancel, kernel.jobs.roll_back):
        with pytest.raises(NotFound):
            await act(job.id, stranger)
    with pytest.raises(JobMisuseError, match=r"sample\.nothing"):
        await kernel.jobs.start("sample.nothing", principal=CLERK)


async def test_what_a_failed_chunk_saved_is_forgotten(kernel: Kernel) -> None:
    job = await start(kernel)
    await kernel.db.execute("update kernel_job set state = 'RUNNING', fence = 1, heartbeat_at = now()")
    run = JobRun(kernel, await again(kernel, job))
    with pytest.raises(ZeroDivisionError):
        async with run.chunk():
            run.saved["after"] = 7
            run.done = 7
            raise ZeroDivisionError
    assert (run.saved, run.done) == ({}, 0)
