"""What the active relay does for tasks: send those that are due, start those with an interval, count."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from kameng.events import metrics
from kameng.events.letters import TASKS_LANE, Letter, Room
from kameng.events.relaying import COUNT_SECONDS, CROWDED_SECONDS, IDLE_SECONDS, STATEMENT_SECONDS
from kameng.ids import new_id
from kameng.tasks import statements

if TYPE_CHECKING:
    import asyncpg

    from kameng.module import Task

log = structlog.get_logger("kameng.tasks")


class DueTasks:
    """Sends tasks that are due: planned for now, failed and waited, or left by a worker that fell silent.

    Args:
        lease: after how long a task is sent again if nothing was heard of it.
    """

    def __init__(self, lease: timedelta) -> None:
        self._lease = lease

    def restart(self) -> None:
        """Nothing is kept here."""

    async def run(self, connection: asyncpg.Connection, room: Room) -> tuple[list[Letter], float]:
        """Send up to a batch."""
        if room.emptied:
            await connection.execute(statements.HASTEN.sql, timeout=STATEMENT_SECONDS)
        if room.free[TASKS_LANE] <= 0:
            return [], CROWDED_SECONDS
        rows = await connection.fetch(statements.SEND.sql, self._lease, timeout=STATEMENT_SECONDS)
        letters = [Letter(TASKS_LANE, (str(row["id"]), row["attempts"])) for row in rows]
        return letters, 0.0 if len(rows) == statements.SEND_BATCH else IDLE_SECONDS


class Schedules:
    """Enqueues tasks with an interval, once for each interval in the whole deployment.

    When a task was last started stands in the database, so neither restarts nor a change of the relay shift
    it.

    Args:
        tasks: all tasks by name.
    """

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._every = {name: task.every for name, task in tasks.items() if task.every}
        self.restart()

    def restart(self) -> None:
        """Ask the database again when each was started."""
        self._due: dict[str, float] | None = None

    async def run(self, connection: asyncpg.Connection, _room: Room) -> tuple[list[Letter], float]:
        """Enqueue what is due; `DueTasks` sends it."""
        now = time.monotonic()
        due = self._due
        if due is None:
            rows = await connection.fetch(statements.LAST_STARTS.sql, timeout=STATEMENT_SECONDS)
            ages = {row["name"]: row["age"] for row in rows}
            due = self._due = {
                name: now + every.total_seconds() - ages[name] if name in ages else now
                for name, every in self._every.items()
            }
        for name in [name for name, moment in due.items() if moment <= now]:
            every = self._every[name]
            started = await connection.fetchval(
                statements.START_SCHEDULED.sql, name, every, new_id(), timeout=STATEMENT_SECONDS
            )
            due[name] = max(due[name] + every.total_seconds(), now)
            if started is None:
                # Somebody else has just started it, or its last run is not over; the database knows since
                # when.
                self.restart()
                log.info("a scheduled task was not started", task=name)
                return [], 0.0
        return [], max(0.0, min(due.values(), default=now + IDLE_SECONDS) - now)


class TasksGauge:
    """Counts tasks for the metrics."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Count at once."""
        self._counted = -COUNT_SECONDS

    async def run(self, connection: asyncpg.Connection, _room: Room) -> tuple[list[Letter], float]:
        """Count, if it is time."""
        now = time.monotonic()
        if now - self._counted >= COUNT_SECONDS:
            self._counted = now
            rows = await connection.fetch(statements.COUNT_BACKLOG.sql, timeout=STATEMENT_SECONDS)
            counted = dict(rows)
            for state in ("queued", "sent", "running", "dead"):
                metrics.TASKS_BACKLOG.labels(state).set(counted.get(state, 0))
        return [], COUNT_SECONDS
