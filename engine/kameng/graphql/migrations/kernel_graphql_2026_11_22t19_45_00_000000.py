"""What Piccolo cannot declare: see ``INDEXES`` in ``kameng.graphql.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T19:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The index by which old results are found"


async def forwards() -> MigrationManager:
    """Create it."""
    manager = MigrationManager(migration_id=ID, app_name="kernel_graphql", description=DESCRIPTION)

    async def create() -> None:
        await ENGINE.run_ddl("create index kernel_idempotency_age on kernel_idempotency (created_at)")

    async def drop() -> None:
        await ENGINE.run_ddl("drop index if exists kernel_idempotency_age")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
