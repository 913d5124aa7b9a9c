"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_settlement.reconciliation.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T04:03:35:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of reconciliation; what is evidence never changes"

STEPS = (
    (
        "settlement_bill_row_of_bill",
        """create index settlement_bill_row_of_bill on settlement_bill_row (bill)""",
        """drop index if exists settlement_bill_row_of_bill""",
    ),
    (
        "settlement_case_unsettled",
        """create index settlement_case_unsettled on settlement_case (id desc) where state in ('DOUBTFUL', 'OPEN')""",
        """drop index if exists settlement_case_unsettled""",
    ),
    (
        "settlement_case_of_source",
        """create index settlement_case_of_source on settlement_case (source, id desc)""",
        """drop index if exists settlement_case_of_source""",
    ),
    (
        "settlement_case_of_owner",
        """create index settlement_case_of_owner on settlement_case (owner, id desc) where owner is not null""",
        """drop index if exists settlement_case_of_owner""",
    ),
    (
        "settlement_case_number",
        """create index settlement_case_number on settlement_case (number)""",
        """drop index if exists settlement_case_number""",
    ),
    (
        "settlement_case_note_of_case",
        """create index settlement_case_note_of_case on settlement_case_note (case_id, id)""",
        """drop index if exists settlement_case_note_of_case""",
    ),
    (
        "settlement_carry_over_open",
        """create index settlement_carry_over_open on settlement_carry_over (source, day) where state = 'OPEN'""",
        """drop index if exists settlement_carry_over_open""",
    ),
    (
        "settlement_payment_observation_reconciled",
        """create index settlement_payment_observation_reconciled on settlement_payment_observation (account, coalesce(paid_at, at)) where taken""",
        """drop index if exists settlement_payment_observation_reconciled""",
    ),
    (
        "settlement_payment_observation_number",
        """create index settlement_payment_observation_number on settlement_payment_observation (number) where taken""",
        """drop index if exists settlement_payment_observation_number""",
    ),
    (
        "settlement_payment_attempt_reconciled",
        """create index settlement_payment_attempt_reconciled on settlement_payment_attempt (account, started_at)""",
        """drop index if exists settlement_payment_attempt_reconciled""",
    ),
    (
        "settlement_payment_refund_reconciled",
        """create index settlement_payment_refund_reconciled on settlement_payment_refund (account, coalesce(settled_at, created_at))""",
        """drop index if exists settlement_payment_refund_reconciled""",
    ),
    (
        "settlement_reconciled_never_changed",
        """
        create function settlement_reconciled_never_changed() returns trigger language plpgsql as $$
        begin
            raise exception '% is evidence: it is never changed, only added to', tg_table_name
                using errcode = 'restrict_violation';
        end $$
        """,
        """drop function if exists settlement_reconciled_never_changed()""",
    ),
    (
        "settlement_bill_never_changed",
        """
        do $$ begin
            create trigger settlement_bill_never_changed before update or delete or truncate on settlement_bill
                for each statement execute function settlement_reconciled_never_changed();
            alter table settlement_bill enable always trigger settlement_bill_never_changed;
        end $$
        """,
        """drop trigger if exists settlement_bill_never_changed on settlement_bill""",
    ),
    (
        "settlement_bill_row_never_changed",
        """
        do $$ begin
            create trigger settlement_bill_row_never_changed before update or delete or truncate on settlement_bill_row
                for each statement execute function settlement_reconciled_never_changed();
            alter table settlement_bill_row enable always trigger settlement_bill_row_never_changed;
        end $$
        """,
        """drop trigger if exists settlement_bill_row_never_changed on settlement_bill_row""",
    ),
    (
        "settlement_bill_match_never_changed",
        """
        do $$ begin
            create trigger settlement_bill_match_never_changed before update or delete or truncate on settlement_bill_match
                for each statement execute function settlement_reconciled_never_changed();
            alter table settlement_bill_match enable always trigger settlement_bill_match_never_changed;
        end $$
        """,
        """drop trigger if exists settlement_bill_match_never_changed on settlement_bill_match""",
    ),
    (
        "settlement_case_note_never_changed",
        """
        do $$ begin
            create trigger settlement_case_note_never_changed before update or delete or truncate on settlement_case_note
                for each statement execute function settlement_reconciled_never_changed();
            alter table settlement_case_note enable always trigger settlement_case_note_never_changed;
        end $$
        """,
        """drop trigger if exists settlement_case_note_never_changed on settlement_case_note""",
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
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
