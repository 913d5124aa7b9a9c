"""Indexes of the data keys: see ``INDEXES`` in ``kameng.vault.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the data keys"

OBJECTS = (
    (
        "create index kernel_data_key_scope on kernel_data_key (scope, id)",
        "drop index if exists kernel_data_key_scope",
    ),
    (
        "create index kernel_data_key_master on kernel_data_key (master_version, id)",
        "drop index if exists kernel_data_key_master",
    ),
)


async def forwards() -> MigrationManager:
    """Create them; backwards drops them in reverse."""
    manager = MigrationManager(migration_id=ID, app_name="kernel_vault", description=DESCRIPTION)

    async def create() -> None:
        for sql, _ in OBJECTS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, sql in reversed(OBJECTS):
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
