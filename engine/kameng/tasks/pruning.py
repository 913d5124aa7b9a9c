"""Finished tasks leave the table; dead ones stay until an operator decides."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kameng.settings import TasksSettings
from kameng.tasks import statements

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def prune_tasks(kernel: Kernel) -> None:
    """Delete tasks done longer than ``[tasks] keep_days`` ago, in small transactions."""
    keep = timedelta(days=kernel.settings.section("tasks", TasksSettings).keep_days)
    while await kernel.db.execute(statements.PRUNE, keep) != "DELETE 0":
        pass
