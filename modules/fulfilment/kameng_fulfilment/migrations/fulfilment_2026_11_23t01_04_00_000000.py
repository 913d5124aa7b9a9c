"""What Piccolo's columns cannot declare: see ``INDEXES`` of the service desk's and the suppliers' tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T01:04:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of the service desk and of suppliers"

STEPS = (
    (
        "fulfilment_service_queue",
        """create index fulfilment_service_queue on fulfilment_service (due_by, line) where closed_at is null""",
        """drop index if exists fulfilment_service_queue""",
    ),
    (
        "fulfilment_service_late",
        """create index fulfilment_service_late on fulfilment_service (due_by)
           where closed_at is null and overdue_at is null""",
        """drop index if exists fulfilment_service_late""",
    ),
    (
        "fulfilment_line_served",
        """create index fulfilment_line_served on fulfilment_order_line (due_at, id)
           where due_at is not null and delivery = 'manual'""",
        """drop index if exists fulfilment_line_served""",
    ),
    (
        "fulfilment_supplier_order_open",
        """create unique index fulfilment_supplier_order_open on fulfilment_supplier_order (line)
           where state in ('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN')""",
        """drop index if exists fulfilment_supplier_order_open""",
    ),
    (
        "fulfilment_supplier_order_due",
        """create index fulfilment_supplier_order_due on fulfilment_supplier_order (connection, next_at)
           where state in ('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN')""",
        """drop index if exists fulfilment_supplier_order_due""",
    ),
    (
        "fulfilment_supplier_order_busy",
        """create index fulfilment_supplier_order_busy on fulfilment_supplier_order (connection, busy_until)
           where busy_until is not null""",
        """drop index if exists fulfilment_supplier_order_busy""",
    ),
    (
        "fulfilment_supplier_order_attention",
        """create index fulfilment_supplier_order_attention on fulfilment_supplier_order (id) where attention <> ''""",
        """drop index if exists fulfilment_supplier_order_attention""",
    ),
    (
        "fulfilment_supplier_order_waiting",
        """create index fulfilment_supplier_order_waiting on fulfilment_supplier_order (created_at)
           where state in ('SENT', 'ACCEPTED', 'UNKNOWN') and attention = ''""",
        """drop index if exists fulfilment_supplier_order_waiting""",
    ),
    (
        "fulfilment_supplier_order_by_connection",
        """create index fulfilment_supplier_order_by_connection on fulfilment_supplier_order (connection, id)""",
        """drop index if exists fulfilment_supplier_order_by_connection""",
    ),
    (
        "fulfilment_supplier_attempt_by_order",
        """create index fulfilment_supplier_attempt_by_order on fulfilment_supplier_attempt (supplier_order, id)""",
        """drop index if exists fulfilment_supplier_attempt_by_order""",
    ),
    (
        "fulfilment_supplier_attempt_append_only",
        """create function fulfilment_supplier_attempt_append_only() returns trigger language plpgsql as $$
           begin raise exception 'what was exchanged with suppliers is never changed'; end $$;
           create trigger fulfilment_supplier_attempt_append_only before update or delete or truncate
           on fulfilment_supplier_attempt for each statement
           execute function fulfilment_supplier_attempt_append_only()""",
        """drop trigger if exists fulfilment_supplier_attempt_append_only on fulfilment_supplier_attempt;
           drop function if exists fulfilment_supplier_attempt_append_only()""",
    ),
    (
        "fulfilment_line_supplied",
        """create index fulfilment_line_supplied on fulfilment_order_line (due_at, id)
           where due_at is not null and delivery = 'supplier'
               and delivery_state in ('PENDING', 'DELIVERING', 'PARTLY_DELIVERED')""",
        """drop index if exists fulfilment_line_supplied""",
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
            if sql:
                await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
