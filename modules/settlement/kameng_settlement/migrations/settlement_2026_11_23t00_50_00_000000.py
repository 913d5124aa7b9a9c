"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_settlement.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T00:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The journal of refunds never changes"

STEPS = (
    (
        "settlement_refund_never_changed",
        """
        do $$ begin
            create trigger settlement_refund_never_changed before update or delete or truncate on settlement_refund
                for each statement execute function settlement_never_changed();
            alter table settlement_refund enable always trigger settlement_refund_never_changed;
        end $$
        """,
        """drop trigger if exists settlement_refund_never_changed on settlement_refund""",
    ),
)
"""Name, what creates it, what drops it."""


async def forwards() -> MigrationManager:
    """Create them; drop them on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="settlement", description=DESCRIPTION)

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
