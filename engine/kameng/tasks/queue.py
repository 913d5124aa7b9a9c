"""The queue of tasks, as the rest of the program sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import UUID

import msgspec

from kameng.events.bell import RELAY
from kameng.ids import new_id
from kameng.tasks import statements
from kameng.tasks.errors import TaskMisuseError
from kameng.tasks.registry import all_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kameng.kernel import Kernel
    from kameng.module import Task

BEFORE_ALL = UUID(int=0)


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a task.

    Attributes:
        id: names it.
        name: ``module.task``.
        state: ``queued``, ``sent``, ``running``, ``done`` or ``dead``.
        attempts: how often it was begun.
        error: of the last attempt that failed, without values; empty after success.
        created_at: when it was enqueued.
        next_at: when it is to run, or to be looked after.
        started_at: when it was last begun.
        done_at: when it succeeded.
    """

    id: UUID
    name: str
    state: Literal["queued", "sent", "running", "done", "dead"]
    attempts: int
    error: str
    created_at: datetime
    next_at: datetime
    started_at: datetime | None
    done_at: datetime | None


class TaskQueue:
    """``kernel.tasks``: enqueue work for a worker, and look after work that could not be done.

    Attributes:
        known: all tasks of the deployment, by ``module.task``.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.known: Mapping[str, Task] = all_tasks(kernel.modules)

    async def enqueue(
        self, name: str, /, *, key: str | None = None, delay: timedelta | None = None, **arguments: Any
    ) -> UUID:
        """Have a task run by a worker: after the transaction around has committed, and never if it has not.

        Args:
            name: ``module.task``.
            key: with a key, a task is enqueued once; again with the same name and key gives the first one's
                id, also after it is done, for as long as its row is kept.
            delay: run it that much later.
            arguments: what the task is called with, plain JSON values.

        Returns:
            the task's id.

        Raises:
            TaskMisuseError: no enabled module has such a task, or an argument is no JSON value.
        """
        if name not in self.known:
            raise TaskMisuseError(
                f"No enabled module has a task {name!r}.",
                cure="Write it as 'module.task', and enable the module.",
            )
        try:
            content = json.dumps(arguments, allow_nan=False, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise TaskMisuseError(
                f"The arguments for {name} are no JSON values: {error}.",
                cure="Pass text, numbers, booleans, None, lists and dicts of these; ids and times as text.",
            ) from error
        db = self._kernel.db
        while True:
            row = (new_id(), name, content, key, delay or timedelta())
            found = await db.fetchval(statements.ENQUEUE, *row)
            if found is not None:
                self._kernel.events.bell.ring_after_commit(RELAY)
            else:
                # Pruning may take the one that was in the way; then there is room for ours.
                found = await db.fetchval(statements.FIND_BY_KEY, name, key)
            if found is not None:
                return UUID(int=found.int)

    async def find(self, task: UUID) -> TaskState | None:
        """What is known of a task; None when it never was or its row has been pruned."""
        row = await self._kernel.db.fetchrow(statements.FIND, task)
        return _state(row) if row else None

    async def list_dead(self, first: int = 50, after: UUID | None = None) -> list[TaskState]:
        """Tasks that failed for the last time, the oldest first.

        Args:
            first: how many at most.
            after: the id to go on after.
        """
        rows = await self._kernel.db.fetch(statements.LIST_DEAD, after or BEFORE_ALL, first)
        return [_state(row) for row in rows]

    async def requeue(self, tasks: Sequence[UUID]) -> int:
        """Let dead tasks be tried anew, with all their attempts. Returns how many there were."""
        answer = await self._kernel.db.execute(statements.REQUEUE_DEAD, list(tasks))
        self._kernel.events.bell.ring_after_commit(RELAY)
        return int(answer.split()[-1])

    async def discard(self, tasks: Sequence[UUID]) -> int:
        """Give dead tasks up. Returns how many there were."""
        answer = await self._kernel.db.execute(statements.DISCARD_DEAD, list(tasks))
        return int(answer.split()[-1])


def _state(row: Mapping[str, Any]) -> TaskState:
    return TaskState(
        id=UUID(int=row["id"].int),
        name=row["name"],
        state=cast('Literal["queued", "sent", "running", "done", "dead"]', row["state"]),
        attempts=row["attempts"],
        error=row["last_error"] or "",
        created_at=row["created_at"],
        next_at=row["next_at"],
        started_at=row["started_at"],
        done_at=row["done_at"],
    )
