"""What Piccolo cannot declare: see ``INDEXES`` in ``kameng.events.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T00:35:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "The key of the standing subscriptions"

FORWARDS = (
    "alter table kernel_subscription drop constraint if exists kernel_subscription_pkey, add primary key (topic, handler)",
)

BACKWARDS = ("alter table kernel_subscription drop constraint if exists kernel_subscription_pkey",)


async def forwards() -> MigrationManager:
    """Create it."""
    manager = MigrationManager(migration_id=ID, app_name="kernel_events", description=DESCRIPTION)

    async def create() -> None:
        for sql in FORWARDS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for sql in BACKWARDS:
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
