"""Workers are killed in the middle of jobs; each chunk is done exactly once all the same."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess

import pytest
import pytest_asyncio

from kameng.jobs import JobState
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels

from . import process
from .sample import CLERK, TABLES, again, counted, module

PATIENCE = 120.0
"""Seconds after which a test gives up waiting; no measure of anything."""

QUICK = {"tasks": {"lease_seconds": 1.0}, "jobs": {"lease_seconds": 1.0}}


@pytest_asyncio.fixture(loop_scope="session")
async def kernel(make_kernel: Kernels) -> AsyncIterator[Kernel]:
    made = await make_kernel([module()], **QUICK)
    await made.db.execute(TABLES)
    yield made


class Workers:
    """Worker processes on the kernel's services."""

    def __init__(self, kernel: Kernel) -> None:
        engine = kernel.settings.engine
        self._environment = {
            "DATABASE_URL": engine.database_url,
            "REDIS_URL": engine.redis_url,
            "KAMENG_KAMENG__DATA_DIR": str(kernel.settings.data_dir),
            "KAMENG_KAMENG__LOG_LEVEL": "error",
            "KAMENG_TASKS__LEASE_SECONDS": "1",
            "KAMENG_JOBS__LEASE_SECONDS": "1",
        }
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.engine.jobs.process", "kameng.kernel"])
        self._running: list[ForkServerProcess] = []

    def start(self) -> None:
        worker = self._context.Process(target=process.run, args=(self._environment,), daemon=True)
        worker.start()
        self._running.append(worker)

    def kill(self) -> None:
        """Kill the oldest, and start another."""
        worker = self._running.pop(0)
        worker.kill()
        worker.join()
        self.start()

    def stop(self) -> None:
        for worker in self._running:
            worker.kill()
            worker.join()


@contextmanager
def workers(kernel: Kernel, count: int) -> Iterator[Workers]:
    running = Workers(kernel)
    try:
        for _ in range(count):
            running.start()
        yield running
    finally:
        running.stop()


@pytest.mark.slow
async def test_a_job_survives_its_workers(kernel: Kernel) -> None:
    # Given two workers, and a job of 60 chunks
    rng = random.Random(4711)
    job = await kernel.jobs.start("sample.count", principal=CLERK, to=600, pause=0.05)
    with workers(kernel, 2) as running:
        kills = 0
        async with asyncio.timeout(PATIENCE):
            # When the workers are killed again and again while it runs
            for goal in (50, 150, 250, 400):
                while (await again(kernel, job)).rows_done < goal:
                    await asyncio.sleep(0.02)
                await asyncio.sleep(rng.uniform(0, 0.1))
                running.kill()
                running.kill()
                kills += 2
            while (await again(kernel, job)).state.open:
                await asyncio.sleep(0.05)
    # Then it comes to its end, having done each chunk once
    done = await again(kernel, job)
    assert (done.state, done.rows_done) == (JobState.SUCCEEDED, 600)
    assert await counted(kernel, job) == list(range(1, 601))
    assert done.fence > 2
    notes = await kernel.db.fetchval("select count(*) from kernel_job_change where job = $1", job.id)
    assert notes == 600


@pytest.mark.slow
async def test_a_roll_back_survives_its_workers(kernel: Kernel) -> None:
    job = await kernel.jobs.start("sample.count", principal=CLERK, to=300)
    with workers(kernel, 2) as running:
        async with asyncio.timeout(PATIENCE):
            while (await again(kernel, job)).state.open:
                await asyncio.sleep(0.05)
            await kernel.db.execute("update counted set number = -7 where number = 7")
            await kernel.jobs.roll_back(job.id, CLERK)
            while len(await counted(kernel, job)) > 200:
                await asyncio.sleep(0)
            running.kill()
            running.kill()
            while (await again(kernel, job)).state.open:
                await asyncio.sleep(0.05)
    done = await again(kernel, job)
    assert done.undone is not None
    assert (done.state, done.undone.counts) == (JobState.ROLLED_BACK, {"restored": 299, "left_alone": 1})
    assert await counted(kernel, job) == [-7]
