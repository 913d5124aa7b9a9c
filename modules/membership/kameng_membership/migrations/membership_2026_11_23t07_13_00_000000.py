"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_membership.notes.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:13:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Index of notes about members"


async def forwards() -> MigrationManager:
    """Create it; drop it on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="membership", description=DESCRIPTION)

    async def create() -> None:
        await ENGINE.run_ddl("create index membership_note_of_member on membership_note (member, id)")

    async def drop() -> None:
        await ENGINE.run_ddl("drop index if exists membership_note_of_member")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
