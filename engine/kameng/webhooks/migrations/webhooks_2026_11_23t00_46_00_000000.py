"""What Piccolo cannot declare: see ``INDEXES`` in ``kameng.webhooks.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T00:46:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the webhooks"

FORWARDS = (
    "create unique index webhooks_secret_current on webhooks_secret (endpoint) where ends_at is null",
    "create index webhooks_secret_all on webhooks_secret (endpoint, id)",
    "create index webhooks_delivery_due on webhooks_delivery (endpoint, next_at) where state in ('waiting', 'sending')",
    "create index webhooks_delivery_owed on webhooks_delivery (gives_up_at) where state in ('waiting', 'sending')",
    "create index webhooks_delivery_test on webhooks_delivery (next_at) where event is null and state in ('waiting', 'sending')",
    "create index webhooks_delivery_dead on webhooks_delivery (id) where state = 'dead'",
    "create index webhooks_delivery_endpoint on webhooks_delivery (endpoint, id)",
    "create index webhooks_delivery_happened on webhooks_delivery (endpoint, happened_at)",
    "create index webhooks_delivery_age on webhooks_delivery (created_at) where state in ('delivered', 'dead')",
)

BACKWARDS = (
    "drop index if exists webhooks_delivery_age",
    "drop index if exists webhooks_delivery_happened",
    "drop index if exists webhooks_delivery_endpoint",
    "drop index if exists webhooks_delivery_dead",
    "drop index if exists webhooks_delivery_test",
    "drop index if exists webhooks_delivery_owed",
    "drop index if exists webhooks_delivery_due",
    "drop index if exists webhooks_secret_all",
    "drop index if exists webhooks_secret_current",
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="webhooks", description=DESCRIPTION)

    async def create() -> None:
        for sql in FORWARDS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for sql in BACKWARDS:
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
