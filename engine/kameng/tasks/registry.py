"""All tasks of a deployment by their full names: those of the modules, and the kernel's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from kameng.audit.chaining import chain_pending
from kameng.events.pruning import prune_events
from kameng.graphql.idempotent_results import prune_results
from kameng.jobs.pruning import prune_jobs, watch_jobs
from kameng.jobs.running import run_job
from kameng.module import Task
from kameng.tasks.pruning import prune_tasks

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.module import Module


async def chain_audit(kernel: Kernel) -> None:
    """Give new entries of the audit log their places in its chain."""
    await chain_pending(kernel)


async def purge_credentials(kernel: Kernel) -> None:
    """Forget sessions and tokens that ended long ago."""
    await kernel.auth.purge()


KERNEL_TASKS = (
    Task(name="prune_events", call=prune_events, every=timedelta(hours=1)),
    Task(name="prune_tasks", call=prune_tasks, every=timedelta(hours=1)),
    Task(name="prune_results", call=prune_results, every=timedelta(hours=1)),
    Task(name="chain_audit", call=chain_audit, every=timedelta(seconds=10)),
    Task(name="purge_credentials", call=purge_credentials, every=timedelta(hours=1)),
    Task(name="run_job", call=run_job),
    Task(name="watch_jobs", call=watch_jobs, every=timedelta(seconds=10)),
    Task(name="prune_jobs", call=prune_jobs, every=timedelta(hours=1)),
)
"""What the kernel itself has to do from time to time; their names begin with ``kernel.``."""


def all_tasks(modules: Iterable[Module]) -> Mapping[str, Task]:
    """Tasks by ``module.task``."""
    tasks = {f"kernel.{task.name}": task for task in KERNEL_TASKS}
    for module in modules:
        tasks |= {f"{module.name}.{task.name}": task for task in module.tasks}
    return tasks
