"""Finding orders by whatever is known of them: see ``INDEXES`` in ``tables`` and ``suppliers.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:25:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The indexes by which the back office finds orders"

INDEXES = (
    (
        "fulfilment_order_ended",
        """create index fulfilment_order_ended on fulfilment_order (state, id)
           where state in ('CANCELLED', 'EXPIRED', 'REFUNDED')""",
    ),
    (
        "fulfilment_order_by_site",
        "create index fulfilment_order_by_site on fulfilment_order (site, id) where site <> ''",
    ),
    (
        "fulfilment_line_by_variant",
        "create index fulfilment_line_by_variant on fulfilment_order_line (variant, order_id)",
    ),
    (
        "fulfilment_line_by_delivery",
        """create index fulfilment_line_by_delivery on fulfilment_order_line (delivery, order_id)
           where delivery <> 'instant'""",
    ),
    (
        "fulfilment_supplier_order_their_reference",
        """create index fulfilment_supplier_order_their_reference on fulfilment_supplier_order (their_reference)
           where their_reference is not null""",
    ),
)


async def forwards() -> MigrationManager:
    """Create them; backwards drops them in turn."""
    manager = MigrationManager(migration_id=ID, app_name="fulfilment", description=DESCRIPTION)

    async def create() -> None:
        for _, sql in INDEXES:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for name, _ in reversed(INDEXES):
            await ENGINE.run_ddl(f"drop index if exists {name}")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
