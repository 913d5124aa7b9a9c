"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_fulfilment.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T00:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of what becomes of orders"

STEPS = (
    (
        "fulfilment_line_delivered_before",
        """update fulfilment_order_line set delivered_quantity = quantity where delivery_state = 'DELIVERED'""",
        """""",
    ),
    (
        "fulfilment_order_expiring",
        """create index fulfilment_order_expiring on fulfilment_order (reserved_until, id)
           where state = 'PENDING_PAYMENT'""",
        """drop index if exists fulfilment_order_expiring""",
    ),
    (
        "fulfilment_order_unpaid",
        """create index fulfilment_order_unpaid on fulfilment_order (member, id) where state = 'PENDING_PAYMENT'""",
        """drop index if exists fulfilment_order_unpaid""",
    ),
    (
        "fulfilment_order_attention",
        """create index fulfilment_order_attention on fulfilment_order (id)
           where state in ('PAID', 'DELIVERING', 'PARTLY_DELIVERED', 'REVIEW')""",
        """drop index if exists fulfilment_order_attention""",
    ),
    (
        "fulfilment_line_waiting",
        """create index fulfilment_line_waiting on fulfilment_order_line (variant, order_id)
           where due_at is not null and delivery = 'instant' and delivery_state in ('PENDING', 'PARTLY_DELIVERED')""",
        """drop index if exists fulfilment_line_waiting""",
    ),
    (
        "fulfilment_line_failing",
        """create index fulfilment_line_failing on fulfilment_order_line (failed_at, id)
           where delivery_state = 'FAILED'""",
        """drop index if exists fulfilment_line_failing""",
    ),
    (
        "fulfilment_ticket_open",
        """create unique index fulfilment_ticket_open on fulfilment_ticket (card) where state = 'OPEN'""",
        """drop index if exists fulfilment_ticket_open""",
    ),
    (
        "fulfilment_ticket_settled",
        """create unique index fulfilment_ticket_settled on fulfilment_ticket (card) where state in ('REPLACED', 'REFUNDED')""",
        """drop index if exists fulfilment_ticket_settled""",
    ),
    (
        "fulfilment_ticket_by_card",
        """create index fulfilment_ticket_by_card on fulfilment_ticket (card)""",
        """drop index if exists fulfilment_ticket_by_card""",
    ),
    (
        "fulfilment_ticket_by_state",
        """create index fulfilment_ticket_by_state on fulfilment_ticket (state, id)""",
        """drop index if exists fulfilment_ticket_by_state""",
    ),
    (
        "fulfilment_ticket_by_member",
        """create index fulfilment_ticket_by_member on fulfilment_ticket (member, id desc)""",
        """drop index if exists fulfilment_ticket_by_member""",
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
