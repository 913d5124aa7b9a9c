"""What Piccolo's columns cannot declare: see ``INDEXES`` in the tables of carts and guests."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T01:12:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of carts and guests"

STEPS = {
    "fulfilment_cart_of_visitors": (
        "create index fulfilment_cart_of_visitors on fulfilment_cart (touched_at, id) where visitor is not null"
    ),
    "fulfilment_contact_unpaid": (
        "create index fulfilment_contact_unpaid on fulfilment_contact (contact_mark, open_until)"
    ),
    "fulfilment_contact_address": (
        """create index fulfilment_contact_address on fulfilment_contact (address_mark, open_until)
           where address_mark is not null"""
    ),
}
"""What creates each index, by its name."""


async def forwards() -> MigrationManager:
    """Create them; drop them on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="fulfilment", description=DESCRIPTION)

    async def create() -> None:
        for sql in STEPS.values():
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for name in STEPS:
            await ENGINE.run_ddl(f"drop index if exists {name}")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
