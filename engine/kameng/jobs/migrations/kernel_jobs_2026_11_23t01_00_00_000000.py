"""What Piccolo cannot declare: see ``INDEXES`` in ``kameng.jobs.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T01:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the jobs"

FORWARDS = (
    "create index kernel_job_open on kernel_job (id) where state in ('QUEUED', 'RUNNING')",
    "create index kernel_job_kind on kernel_job (kind, id)",
    "create index kernel_job_ended on kernel_job (ended_at) where state not in ('QUEUED', 'RUNNING')",
    "create index kernel_job_file_expiry on kernel_job_file (expires_at)",
    "create index kernel_job_change_job on kernel_job_change (job, id)",
    "alter table kernel_job_piece alter column sealed set storage external",
)

BACKWARDS = (
    "alter table kernel_job_piece alter column sealed set storage extended",
    "drop index if exists kernel_job_change_job",
    "drop index if exists kernel_job_file_expiry",
    "drop index if exists kernel_job_ended",
    "drop index if exists kernel_job_kind",
    "drop index if exists kernel_job_open",
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="kernel_jobs", description=DESCRIPTION)

    async def create() -> None:
        for sql in FORWARDS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for sql in BACKWARDS:
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
