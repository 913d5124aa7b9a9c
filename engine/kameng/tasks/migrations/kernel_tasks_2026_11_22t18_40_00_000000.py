"""What Piccolo cannot declare: see ``INDEXES`` in ``kameng.tasks.tables``; and how often the table is vacuumed."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the tasks"

FORWARDS = (
    "create index kernel_task_open on kernel_task (next_at) where state in ('queued', 'sent', 'running')",
    "create index kernel_task_dead on kernel_task (id) where state = 'dead'",
    "create index kernel_task_done on kernel_task (done_at) where state = 'done'",
    "create index kernel_task_open_by_name on kernel_task (name) where state in ('queued', 'sent', 'running')",
    "create unique index kernel_task_key on kernel_task (name, unique_key) where unique_key is not null",
    "alter table kernel_task set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)",
)

BACKWARDS = (
    "alter table kernel_task reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
    "drop index if exists kernel_task_key",
    "drop index if exists kernel_task_open_by_name",
    "drop index if exists kernel_task_done",
    "drop index if exists kernel_task_dead",
    "drop index if exists kernel_task_open",
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="kernel_tasks", description=DESCRIPTION)

    async def create() -> None:
        for sql in FORWARDS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for sql in BACKWARDS:
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
