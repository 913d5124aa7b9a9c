"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_settlement.payments.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:25:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes by which the back office searches payments"

INDEXES = {
    "settlement_payment_memo": "on settlement_payment (memo) where memo <> ''",
    "settlement_payment_in_state": "on settlement_payment (state, id)",
    "settlement_payment_opened": "on settlement_payment (created_at)",
    "settlement_payment_attempt_transfer": (
        "on settlement_payment_attempt (payment)"
        " where flow = 'manual' and state in ('STARTING', 'WAITING', 'UNKNOWN')"
    ),
}


async def forwards() -> MigrationManager:
    """Create them; drop them on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="settlement", description=DESCRIPTION)

    async def create() -> None:
        for name, rest in INDEXES.items():
            await ENGINE.run_ddl(f"create index {name} {rest}")

    async def drop() -> None:
        for name in reversed(INDEXES):
            await ENGINE.run_ddl(f"drop index if exists {name}")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
