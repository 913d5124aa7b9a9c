"""What has to be done for jobs from time to time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.jobs import statements
from kameng.settings import JobsSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def watch_jobs(kernel: Kernel) -> None:
    """Have jobs run that wait, or whose worker fell silent."""
    await kernel.jobs.start_waiting()


async def prune_jobs(kernel: Kernel) -> None:
    """Delete files that are over, and jobs that ended longer than ``[jobs] keep_days`` ago, in small transactions."""
    keep = timedelta(days=kernel.settings.section("jobs", JobsSettings).keep_days)
    while rows := await kernel.db.fetch(statements.EXPIRED_FILES):
        await kernel.jobs.files.drop([UUID(int=row["id"].int) for row in rows])
    while old := await kernel.db.fetch(statements.PRUNE_JOBS, keep):
        for row in old:
            job = UUID(int=row["id"].int)
            files = await kernel.jobs.files.of_jobs([job])
            async with kernel.db.transaction():
                await kernel.jobs.files.drop([file.id for file in files[job]])
                await kernel.db.execute(statements.DELETE_JOB, job)
