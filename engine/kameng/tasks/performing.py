"""The worker's side of tasks: begin, keep alive, end."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from kameng.errors import BootError
from kameng.events import metrics
from kameng.events.failure import OUTAGES, describe, pause, through_outages, trace
from kameng.tasks import statements

if TYPE_CHECKING:
    from kameng.kernel import Kernel

ATTEMPTS_OF_STRANGERS = 12
"""Attempts for a task that no enabled module has: perhaps only this worker does not have it yet."""

HEARTBEATS = 4
"""How many heartbeats fit into a lease."""

log = structlog.get_logger("kameng.tasks")


@dataclass(slots=True)
class _Run:
    """A task that this worker is running."""

    name: str
    attempt: int
    call: asyncio.Future[None]
    lost: bool = False


class Performer:
    """Runs tasks.

    A task runs outside any transaction. While it does, its lease is prolonged; if that fails for a whole
    lease, or somebody else has the task by then, the run is cancelled.

    Args:
        kernel: an open kernel.
        lease: after how long without a sign of life a task is given to another worker.
        first_pause: seconds between a task's first and second attempt.
    """

    def __init__(self, kernel: Kernel, lease: timedelta, first_pause: float) -> None:
        self._kernel = kernel
        self._lease = lease
        self._first_pause = first_pause
        self._runs: dict[UUID, _Run] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin nothing more; what is not begun stays with the queue."""
        self._stopping.set()

    def cancel(self) -> None:
        """Break off what is running; it goes back to the queue."""
        for run in self._runs.values():
            run.call.cancel()

    async def perform(self, task: str, attempts: int) -> None:
        """Run a task, if it is still to be run. Never raises for the task's failure; outages are waited out.

        Args:
            task: its id.
            attempts: how often it had been begun when the message was sent.
        """
        self._kernel.db.use()
        if not self._stopping.is_set():
            await through_outages(partial(self._begin, UUID(task), attempts), self._stopping)

    async def _begin(self, task: UUID, attempts: int) -> None:
        row = await self._kernel.db.fetchrow(statements.BEGIN, task, attempts, self._lease)
        if row is None:
            return
        if attempts >= self._allowed(row["name"]):
            # Begun for the last time and never ended: it takes its workers with it.
            died = BootError(f"Its worker died in each of {attempts} attempts, or was stopped.")
            await self._fail(task, row["name"], attempts + 1, died)
            return
        began = time.monotonic()
        call = asyncio.ensure_future(self._call(row["name"], json.loads(row["arguments"])))
        run = self._runs[task] = _Run(row["name"], attempts + 1, call)
        try:
            await asyncio.wait([call])
        finally:
            call.cancel()
            del self._runs[task]
        metrics.TASK_SECONDS.labels(run.name).observe(time.monotonic() - began)
        await through_outages(partial(self._end, task, run), self._stopping)

    async def _call(self, name: str, arguments: dict[str, Any]) -> None:
        known = self._kernel.tasks.known.get(name)
        if known is None:
            raise BootError(f"No enabled module of this worker has a task {name}.")
        with structlog.contextvars.bound_contextvars(task=name):
            await known.call(self._kernel, **arguments)

    async def _end(self, task: UUID, run: _Run) -> None:
        db = self._kernel.db
        if run.lost:
            metrics.TASKS.labels(run.name, "lost").inc()
            log.warning(
                "a task was given to another worker", task=run.name, id=str(task), attempt=run.attempt
            )
        elif run.call.cancelled():
            await db.execute(statements.GIVE_BACK, task, run.attempt)
            metrics.TASKS.labels(run.name, "returned").inc()
            log.info("a task goes back to the queue", task=run.name, id=str(task))
        elif error := run.call.exception():
            await self._fail(task, run.name, run.attempt, error)
        else:
            await db.execute(statements.FINISH, task, run.attempt)
            metrics.TASKS.labels(run.name, "done").inc()

    async def _fail(self, task: UUID, name: str, attempt: int, error: BaseException) -> None:
        wait = pause(attempt, self._first_pause)
        told = describe(error)
        state = await self._kernel.db.fetchval(
            statements.FAIL, task, attempt, told, self._allowed(name), wait
        )
        if state is None:
            return
        dead = state == "dead"
        metrics.TASKS.labels(name, "dead" if dead else "failed").inc()
        (log.error if dead else log.warning)(
            "a task failed and is a dead letter" if dead else "a task failed",
            task=name,
            id=str(task),
            attempt=attempt,
            error=told,
            again_in=None if dead else round(wait.total_seconds(), 1),
            trace=trace(error),
        )

    def _allowed(self, name: str) -> int:
        known = self._kernel.tasks.known.get(name)
        return known.attempts if known else ATTEMPTS_OF_STRANGERS

    async def keep_alive(self) -> None:
        """Prolong the leases of all that runs here, until cancelled."""
        self._kernel.db.use()
        seconds = self._lease.total_seconds()
        heard = time.monotonic()
        while True:
            await asyncio.sleep(seconds / HEARTBEATS)
            runs = dict(self._runs)
            asked = time.monotonic()
            if not runs:
                heard = asked
                continue
            with suppress(*OUTAGES):
                async with asyncio.timeout(seconds / HEARTBEATS):
                    ours = await self._kernel.db.fetch(
                        statements.HEARTBEAT, list(runs), [run.attempt for run in runs.values()], self._lease
                    )
                heard = asked
                self._lose(
                    {task: run for task, run in runs.items() if task not in {row["id"] for row in ours}}
                )
            if time.monotonic() - heard > seconds:
                self._lose(runs)

    def _lose(self, runs: dict[UUID, _Run]) -> None:
        for task, run in runs.items():
            # It may have ended by itself in the meantime.
            if self._runs.get(task) is run and not run.call.done():
                run.lost = True
                run.call.cancel()
