"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_fulfilment.flash.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T01:01:06:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of flash sales"

STEPS = (
    (
        "fulfilment_flash_sale_running",
        """create index fulfilment_flash_sale_running on fulfilment_flash_sale (variant, closes_at)
           where ended_at is null""",
        "drop index if exists fulfilment_flash_sale_running",
    ),
    (
        "fulfilment_flash_purchase_buyer",
        "create index fulfilment_flash_purchase_buyer on fulfilment_flash_purchase (sale, buyer) include (quantity)",
        "drop index if exists fulfilment_flash_purchase_buyer",
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
