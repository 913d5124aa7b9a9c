"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_fulfilment.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes and triggers of fulfilment"

STEPS = (
    (
        "fulfilment_order_by_member",
        """create index fulfilment_order_by_member on fulfilment_order (member, id desc)""",
        """drop index if exists fulfilment_order_by_member""",
    ),
    (
        "fulfilment_order_unfinished",
        """create index fulfilment_order_unfinished on fulfilment_order (state, id)
           where state not in ('COMPLETED', 'CANCELLED', 'EXPIRED', 'REFUNDED')""",
        """drop index if exists fulfilment_order_unfinished""",
    ),
    (
        "fulfilment_history_by_order",
        """create index fulfilment_history_by_order on fulfilment_order_history (order_id, id)""",
        """drop index if exists fulfilment_history_by_order""",
    ),
    (
        "fulfilment_history_append_only",
        """create function fulfilment_history_append_only() returns trigger language plpgsql as $$
           begin raise exception 'the history of orders is never changed'; end $$;
           create trigger fulfilment_history_append_only before update or delete or truncate
           on fulfilment_order_history for each statement execute function fulfilment_history_append_only()""",
        """drop trigger if exists fulfilment_history_append_only on fulfilment_order_history;
           drop function if exists fulfilment_history_append_only()""",
    ),
)
"""Name, what creates it, what drops it."""


async def forwards() -> MigrationManager:
    """Create them; drop them on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="fulfilment", description=DESCRIPTION)

    async def create() -> None:
        for _, sql, _ in STEPS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, _, sql in reversed(STEPS):
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
