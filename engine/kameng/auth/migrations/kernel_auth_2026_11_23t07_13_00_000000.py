"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng.auth.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:13:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Index of the staff's log-ins"


async def forwards() -> MigrationManager:
    """Create it; drop it on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="kernel_auth", description=DESCRIPTION)

    async def create() -> None:
        await ENGINE.run_ddl(
            "create index kernel_session_staff on kernel_session (id desc) where principal_kind = 'staff'"
        )

    async def drop() -> None:
        await ENGINE.run_ddl("drop index if exists kernel_session_staff")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
