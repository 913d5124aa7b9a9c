"""The worker's side of jobs: begin, keep alive, end."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import structlog

from kameng.errors import Refusal
from kameng.events.failure import OUTAGES, describe, pause, trace
from kameng.jobs import statements
from kameng.jobs.errors import JobCancelled, JobLost
from kameng.jobs.job import Job, JobError, JobReport, JobState, job_of
from kameng.jobs.run import JobRun
from kameng.settings import JobsSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kameng.kernel import Kernel
    from kameng.module import JobKind

TELL_SECONDS = 0.3
"""Progress is told at most so often."""

HEARTBEATS = 4
"""How many heartbeats fit into a lease."""

FIRST_PAUSE = 2.0
"""Seconds between the first and the second try of a job whose function failed."""

log = structlog.get_logger("kameng.jobs")


async def run_job(kernel: Kernel, job: str) -> None:
    """Run a job, if it is to be run and nobody else does. A task of the kernel; called too often it does nothing.

    Raises:
        UnavailableError and other outages: the database is away; the task is tried again then.
    """
    settings = kernel.settings.section("jobs", JobsSettings)
    row = await kernel.db.fetchrow(statements.BEGIN, UUID(job), settings.lease, settings.at_once)
    if row is None:
        return  # it ended, somebody has it, or too many run: whoever ends next, or the watch, looks for it
    begun = job_of(row)
    kind = kernel.jobs.kinds.get(begun.kind)
    run = JobRun(kernel, begun)
    try:
        await _Attempt(kernel, run, kind).perform()
    finally:
        with suppress(*OUTAGES):
            await kernel.jobs.start_waiting()


class _Attempt:
    def __init__(self, kernel: Kernel, run: JobRun, kind: JobKind | None) -> None:
        self._kernel = kernel
        self._run = run
        self._kind = kind
        self._settings = kernel.settings.section("jobs", JobsSettings)
        self._lost = False

    @property
    def _job(self) -> Job:
        return self._run.job

    async def perform(self) -> None:
        """Run it, and keep what came of it."""
        if self._kind is None:
            await self._fail(
                JobError("JOB_UNKNOWN", f"No enabled module has jobs of the kind {self._job.kind}.")
            )
            return
        if self._job.tries > self._kind.attempts:
            died = f"Its worker died in each of {self._kind.attempts} attempts."
            await self._fail(JobError("JOB_DIED", died, "Look into the worker's log; then start it anew."))
            return
        call = asyncio.ensure_future(self._call(self._kind))
        keeping = asyncio.ensure_future(self._keep(call))
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError:
            # The worker is stopped: the job goes back at once, and the task does by itself.
            call.cancel()
            await asyncio.wait([call])
            await asyncio.shield(self._release(statements.GIVE_BACK))
            raise
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        await self._end(call)

    async def _call(self, kind: JobKind) -> JobReport:
        function: Callable[[JobRun], Awaitable[JobReport]] | None = kind.call
        if self._job.rolling_back:
            function = kind.roll_back
        if function is None:
            raise JobCancelled("There is nothing to roll back.")
        with structlog.contextvars.bound_contextvars(job=str(self._job.id), job_kind=self._job.kind):
            return await function(self._run)

    async def _end(self, call: asyncio.Future[JobReport]) -> None:
        kind, job = self._kind, self._job
        if self._lost or call.cancelled():
            log.warning("a job was given to another worker", id=str(job.id), kind=job.kind)
            return
        error = call.exception()
        if error is None:
            report = call.result()
            state = JobState.ROLLED_BACK if job.rolling_back else JobState.SUCCEEDED
            await self._finish(JobState.FAILED if report.error else state, report=report, error=report.error)
        elif isinstance(error, JobLost):
            log.warning("a job was given to another worker", id=str(job.id), kind=job.kind)
        elif isinstance(error, JobCancelled):
            await self._finish(JobState.CANCELLED)
        elif isinstance(error, Refusal):
            await self._fail(JobError(error.code, error.message, error.cure))
        elif isinstance(error, OUTAGES):
            await self._release(statements.RELEASE)
            raise error
        elif kind is None or job.tries >= kind.attempts:
            told = describe(error)
            log.error("a job failed", id=str(job.id), kind=job.kind, error=told, trace=trace(error))
            await self._fail(JobError("JOB_FAILED", told, "Look into the log, then start it anew."))
        else:
            wait = pause(job.tries, FIRST_PAUSE)
            log.warning(
                "a job failed and is tried again", id=str(job.id), error=describe(error), trace=trace(error)
            )
            async with self._kernel.db.transaction():
                await self._release(statements.RELEASE)
                await self._kernel.tasks.enqueue("kernel.run_job", delay=wait, job=str(job.id))

    async def _fail(self, error: JobError) -> None:
        await self._finish(JobState.FAILED, error=error)

    async def _finish(
        self, state: JobState, *, report: JobReport | None = None, error: JobError | None = None
    ) -> None:
        run, kernel = self._run, self._kernel
        problems = run.problems if report is None else max(run.problems, report.problem_count)
        async with kernel.db.transaction():
            ended = await kernel.db.fetchval(
                statements.END,
                run.job.id,
                run.job.fence,
                state.value,
                _json(error),
                _json(report),
                run.done,
                run.total,
                problems,
            )
            if ended is None:
                return
            await kernel.jobs.forget_input(run.job)
            kernel.jobs.tell(run.job.id)
        log.info("a job ended", id=str(run.job.id), kind=run.job.kind, state=state.value)

    async def _release(self, statement: object) -> None:
        with suppress(*OUTAGES):  # without the database the lease runs out
            await self._kernel.db.execute(statement, self._job.id, self._job.fence)  # type: ignore[arg-type]  # one of ours
            self._kernel.jobs.tell(self._job.id)

    async def _keep(self, call: asyncio.Future[JobReport]) -> None:
        """Prolong the lease and tell the progress until cancelled; ends the run when the job is not ours any more."""
        run, lease = self._run, self._settings.lease.total_seconds()
        told = (run.done, run.total, run.problems)
        beaten = heard = time.monotonic()
        while True:
            await asyncio.sleep(TELL_SECONDS)
            now = (run.done, run.total, run.problems)
            asked = time.monotonic()
            if now != told or asked - beaten > lease / HEARTBEATS:
                with suppress(*OUTAGES, TimeoutError):
                    async with asyncio.timeout(lease / HEARTBEATS):
                        cancel = await self._kernel.db.fetchval(
                            statements.BEAT, run.job.id, run.job.fence, *now
                        )
                    told, beaten, heard = now, asked, asked
                    if cancel is None:
                        self._lose(call)
                        return
                    run.cancel_requested = run.cancel_requested or cancel
                    self._kernel.jobs.tell(run.job.id)
            if time.monotonic() - heard > lease:
                self._lose(call)
                return

    def _lose(self, call: asyncio.Future[JobReport]) -> None:
        # It may have ended by itself in the meantime.
        if not call.done():
            self._lost = True
            call.cancel()


def _json(value: msgspec.Struct | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
