"""Batches whose cards are still arriving: see ``StockBatch`` in ``stock_tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T04:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Batches of imports that go on after a restart"

CHECK = "alter table catalog_stock_batch add constraint catalog_stock_batch_state_known check (state in ({}))"
DROP_CHECK = "alter table catalog_stock_batch drop constraint catalog_stock_batch_state_known"
STATES = ("sellable", "quarantined", "recalled")

FORWARDS = (
    DROP_CHECK,
    CHECK.format(", ".join(f"'{state}'" for state in ("arriving", *STATES))),
    "create index catalog_stock_batch_arriving on catalog_stock_batch (id) where state = 'arriving'",
)
BACKWARDS = (
    "drop index if exists catalog_stock_batch_arriving",
    # Imports begin anew after this; what they had brought until now must not be sold twice.
    "delete from catalog_card where batch in (select id from catalog_stock_batch where state = 'arriving')",
    "delete from catalog_stock_batch where state = 'arriving'",
    DROP_CHECK,
    CHECK.format(", ".join(f"'{state}'" for state in STATES)),
)


async def forwards() -> MigrationManager:
    """Allow the state; backwards takes back what is in it."""
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)

    async def allow() -> None:
        for sql in FORWARDS:
            await ENGINE.run_ddl(sql)

    async def forbid() -> None:
        for sql in BACKWARDS:
            await ENGINE.run_ddl(sql)

    manager.add_raw(allow)
    manager.add_raw_backwards(forbid)
    return manager
