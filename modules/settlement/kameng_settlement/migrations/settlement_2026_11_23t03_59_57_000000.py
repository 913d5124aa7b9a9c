"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_settlement.payments``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T03:59:57:000000"
VERSION = "1.38.0"
DESCRIPTION = "Payments: partial indexes, and evidence that never changes"

STEPS = (
    (
        "settlement_payment_observation_taken_once",
        """create unique index settlement_payment_observation_taken_once on settlement_payment_observation (account, transaction) where taken""",
        """drop index if exists settlement_payment_observation_taken_once""",
    ),
    (
        "settlement_payment_observation_of_payment",
        """create index settlement_payment_observation_of_payment on settlement_payment_observation (payment, id) where payment is not null""",
        """drop index if exists settlement_payment_observation_of_payment""",
    ),
    (
        "settlement_payment_observation_evidence",
        """create index settlement_payment_observation_evidence on settlement_payment_observation (id) where outcome not in ('PAID', 'PENDING', 'CLOSED', 'FAILED', 'REPEATED')""",
        """drop index if exists settlement_payment_observation_evidence""",
    ),
    (
        "settlement_payment_history_of_payment",
        """create index settlement_payment_history_of_payment on settlement_payment_history (payment, id)""",
        """drop index if exists settlement_payment_history_of_payment""",
    ),
    (
        "settlement_payment_of_payer",
        """create index settlement_payment_of_payer on settlement_payment (payer, id)""",
        """drop index if exists settlement_payment_of_payer""",
    ),
    (
        "settlement_payment_of_subject",
        """create index settlement_payment_of_subject on settlement_payment (subject)""",
        """drop index if exists settlement_payment_of_subject""",
    ),
    (
        "settlement_payment_by_account",
        """create index settlement_payment_by_account on settlement_payment (paid_to, paid_at) where state = 'PAID'""",
        """drop index if exists settlement_payment_by_account""",
    ),
    (
        "settlement_payment_open",
        """create index settlement_payment_open on settlement_payment (expires_at) where state in ('CREATED', 'PENDING')""",
        """drop index if exists settlement_payment_open""",
    ),
    (
        "settlement_payment_attempt_due",
        """create index settlement_payment_attempt_due on settlement_payment_attempt (next_at) where state in ('STARTING', 'WAITING', 'UNKNOWN')""",
        """drop index if exists settlement_payment_attempt_due""",
    ),
    (
        "settlement_payment_refund_due",
        """create index settlement_payment_refund_due on settlement_payment_refund (next_at) where state in ('REQUESTED', 'ACCEPTED')""",
        """drop index if exists settlement_payment_refund_due""",
    ),
    (
        "settlement_payment_refund_by_account",
        """create index settlement_payment_refund_by_account on settlement_payment_refund (account, created_at)""",
        """drop index if exists settlement_payment_refund_by_account""",
    ),
    (
        "settlement_payment_never_changed",
        """
        create function settlement_payment_never_changed() returns trigger language plpgsql as $$
        begin
            raise exception '% is evidence: it is never changed, only added to', tg_table_name
                using errcode = 'restrict_violation';
        end $$
        """,
        """drop function if exists settlement_payment_never_changed()""",
    ),
    (
        "settlement_payment_history_never_changed",
        """
        do $$ begin
            create trigger settlement_payment_history_never_changed before update or delete or truncate on settlement_payment_history
                for each statement execute function settlement_payment_never_changed();
            alter table settlement_payment_history enable always trigger settlement_payment_history_never_changed;
        end $$
        """,
        """drop trigger if exists settlement_payment_history_never_changed on settlement_payment_history""",
    ),
    (
        "settlement_payment_observation_never_changed",
        """
        do $$ begin
            create trigger settlement_payment_observation_never_changed before update or delete or truncate on settlement_payment_observation
                for each statement execute function settlement_payment_never_changed();
            alter table settlement_payment_observation enable always trigger settlement_payment_observation_never_changed;
        end $$
        """,
        """drop trigger if exists settlement_payment_observation_never_changed on settlement_payment_observation""",
    ),
    (
        "settlement_transfer_confirmation_never_changed",
        """
        do $$ begin
            create trigger settlement_transfer_confirmation_never_changed before update or delete or truncate on settlement_transfer_confirmation
                for each statement execute function settlement_payment_never_changed();
            alter table settlement_transfer_confirmation enable always trigger settlement_transfer_confirmation_never_changed;
        end $$
        """,
        """drop trigger if exists settlement_transfer_confirmation_never_changed on settlement_transfer_confirmation""",
    ),
    (
        "settlement_top_up_grant_once",
        """create unique index settlement_top_up_grant_once on settlement_top_up_grant (rule, member) where once""",
        """drop index if exists settlement_top_up_grant_once""",
    ),
    (
        "settlement_top_up_grant_by_rule",
        """create index settlement_top_up_grant_by_rule on settlement_top_up_grant (rule, payment)""",
        """drop index if exists settlement_top_up_grant_by_rule""",
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
