"""What counts for another time than it was posted at: see ``INDEXES`` in ``kameng_settlement.days.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:35:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The index that finds transactions by an effective date of their own"

INDEX = (
    "create index settlement_ledger_transaction_effective on settlement_ledger_transaction (effective_at)"
    " where effective_at <> posted_at"
)


async def forwards() -> MigrationManager:
    """Create it; backwards drops it."""
    manager = MigrationManager(migration_id=ID, app_name="settlement", description=DESCRIPTION)

    async def create() -> None:
        await ENGINE.run_ddl(INDEX)

    async def drop() -> None:
        await ENGINE.run_ddl("drop index if exists settlement_ledger_transaction_effective")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
