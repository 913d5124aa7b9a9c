"""What Piccolo cannot declare: see ``INDEXES`` in ``kameng.notify.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T01:06:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the notifications"

FORWARDS = (
    "create index notify_message_due on notify_message (next_at) where state in ('queued', 'sending')",
    "create index notify_message_dead on notify_message (id) where state = 'dead'",
    "create index notify_message_age on notify_message (created_at) where state in ('sent', 'dead', 'discarded')",
)

BACKWARDS = (
    "drop index if exists notify_message_age",
    "drop index if exists notify_message_dead",
    "drop index if exists notify_message_due",
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="notify", description=DESCRIPTION)

    async def create() -> None:
        for sql in FORWARDS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for sql in BACKWARDS:
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
