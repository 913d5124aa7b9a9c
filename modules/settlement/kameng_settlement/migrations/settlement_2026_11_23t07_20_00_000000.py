"""Payments by what their gateways call them: see ``INDEXES`` in ``kameng_settlement.payments.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The index that finds payments by their gateways' numbers"

INDEX = (
    "create index settlement_payment_by_transaction on settlement_payment (transaction)"
    " where transaction is not null"
)


async def forwards() -> MigrationManager:
    """Create it; backwards drops it."""
    manager = MigrationManager(migration_id=ID, app_name="settlement", description=DESCRIPTION)

    async def create() -> None:
        await ENGINE.run_ddl(INDEX)

    async def drop() -> None:
        await ENGINE.run_ddl("drop index if exists settlement_payment_by_transaction")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
