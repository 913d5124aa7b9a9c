"""What the kernel keeps about tasks: a row comes before the message, so a broker that dies loses nothing."""

from piccolo.columns import JSONB, UUID, SmallInt, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index


class TaskRow(Table, tablename="kernel_task"):
    """One piece of work.

    ``state`` is ``queued`` (to be sent at its time), ``sent`` (a message is on its way), ``running``,
    ``done`` or ``dead`` (failed for the last time). ``next_at`` is when to send it (again): the planned
    time, or the end of the lease of whoever has it. ``attempts`` counts beginnings, and names the run that
    may still speak for the task.
    """

    id = UUID(primary_key=True, default=None)
    name = Text(null=False, default=None)
    arguments = JSONB(null=False, default="{}")
    state = Text(null=False, default="queued")
    attempts = SmallInt(null=False, default=0)
    next_at = Timestamptz(null=False)
    unique_key = Text(null=True, default=None)
    created_at = Timestamptz(null=False)
    started_at = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)
    last_error = Text(null=True, default=None)

    kernel_task_state_known = Check("state in ('queued', 'sent', 'running', 'done', 'dead')")


class Schedule(Table, tablename="kernel_schedule"):
    """When a task with an interval was last started, by whichever process of the deployment."""

    name = Text(primary_key=True, default=None)
    last_started_at = Timestamptz(null=False)


INDEXES: tuple[Index, ...] = (
    Index(
        "kernel_task_open",
        "create index kernel_task_open on kernel_task (next_at) where state in ('queued', 'sent', 'running')",
    ),
    Index("kernel_task_dead", "create index kernel_task_dead on kernel_task (id) where state = 'dead'"),
    Index("kernel_task_done", "create index kernel_task_done on kernel_task (done_at) where state = 'done'"),
    Index(
        "kernel_task_open_by_name",
        "create index kernel_task_open_by_name on kernel_task (name)"
        " where state in ('queued', 'sent', 'running')",
    ),
    Index(
        "kernel_task_key",
        "create unique index kernel_task_key on kernel_task (name, unique_key) where unique_key is not null",
    ),
    # The table churns: vacuum comes early, so that its indexes stay small.
    Index(
        "kernel_task_vacuum",
        "alter table kernel_task set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)",
        "alter table kernel_task reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
    ),
)
"""Beside what Piccolo declares; created by a migration of their own."""
