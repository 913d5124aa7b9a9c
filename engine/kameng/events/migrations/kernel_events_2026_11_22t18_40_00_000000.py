"""What Piccolo cannot declare: see ``INDEXES`` in ``kameng.events.tables``; and how often the tables are vacuumed."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the outbox and the deliveries"

FORWARDS = (
    "create index kernel_outbox_unrelayed on kernel_outbox (id) where relayed_at is null",
    "alter table kernel_delivery drop constraint if exists kernel_delivery_pkey, add primary key (event_id, handler)",
    "create index kernel_delivery_owed on kernel_delivery (next_at) where state <> 'dead'",
    "create index kernel_delivery_dead on kernel_delivery (event_id, handler) where state = 'dead'",
    # Rows live for seconds here. The default would let a fifth of the table be dead before looking.
    "alter table kernel_delivery set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)",
    "alter table kernel_outbox set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000)",
)

BACKWARDS = (
    "alter table kernel_outbox reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
    "alter table kernel_delivery reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
    "drop index if exists kernel_delivery_dead",
    "drop index if exists kernel_delivery_owed",
    "alter table kernel_delivery drop constraint if exists kernel_delivery_pkey",
    "drop index if exists kernel_outbox_unrelayed",
)


async def forwards() -> MigrationManager:
    """Create them."""
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
