"""The histories of orders tell of claims: a check that Piccolo does not see to have changed."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T03:59:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Claims in the histories of orders"

KINDS = "'state', 'note', 'payment', 'refund', 'hold', 'release', 'delivery', 'failure', 'ticket'"

STEPS = (
    "alter table fulfilment_order_history drop constraint fulfilment_history_kind",
    # Without a look at all rows while the table is locked; they are validated afterwards.
    (
        "alter table fulfilment_order_history add constraint fulfilment_history_kind"
        " check (kind in ({kinds})) not valid"
    ),
)


async def forwards() -> MigrationManager:
    """Allow the kind; on the way back it is refused for what comes, and what is there stays."""
    manager = MigrationManager(migration_id=ID, app_name="fulfilment", description=DESCRIPTION)

    async def allow() -> None:
        for sql in STEPS:
            await ENGINE.run_ddl(sql.format(kinds=f"{KINDS}, 'claim'"))
        await ENGINE.run_ddl(
            "alter table fulfilment_order_history validate constraint fulfilment_history_kind"
        )

    async def refuse() -> None:
        for sql in STEPS:
            await ENGINE.run_ddl(sql.format(kinds=KINDS))

    manager.add_raw(allow)
    manager.add_raw_backwards(refuse)
    return manager
