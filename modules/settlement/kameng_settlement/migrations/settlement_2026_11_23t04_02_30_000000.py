"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_settlement.holds.tables`` and ``days.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T04:02:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "Holds that are resolved once, sealed days that stay, and an index of days"

STEPS = (
    (
        "settlement_ledger_transaction_posted",
        """create index settlement_ledger_transaction_posted on settlement_ledger_transaction using brin (posted_at) with (pages_per_range = 32, autosummarize = on)""",
        """drop index if exists settlement_ledger_transaction_posted""",
    ),
    (
        "settlement_only_added_to",
        """
        create function settlement_only_added_to() returns trigger language plpgsql as $$
        begin
            raise exception '% is only added to', tg_table_name
                using errcode = 'restrict_violation', hint = 'What was sealed stays as it is.';
        end $$
        """,
        """drop function if exists settlement_only_added_to()""",
    ),
    (
        "settlement_ledger_day_added_to",
        """
        do $$ begin
            create trigger settlement_ledger_day_added_to before update or delete or truncate on settlement_ledger_day
                for each statement execute function settlement_only_added_to();
            alter table settlement_ledger_day enable always trigger settlement_ledger_day_added_to;
        end $$
        """,
        """drop trigger if exists settlement_ledger_day_added_to on settlement_ledger_day""",
    ),
    (
        "settlement_ledger_check_added_to",
        """
        do $$ begin
            create trigger settlement_ledger_check_added_to before update or delete or truncate on settlement_ledger_check
                for each statement execute function settlement_only_added_to();
            alter table settlement_ledger_check enable always trigger settlement_ledger_check_added_to;
        end $$
        """,
        """drop trigger if exists settlement_ledger_check_added_to on settlement_ledger_check""",
    ),
    (
        "settlement_hold_debit_account",
        """alter table settlement_hold add constraint settlement_hold_debit_account foreign key (debit_account, currency) references settlement_account (id, currency) on delete restrict on update restrict""",
        """alter table settlement_hold drop constraint if exists settlement_hold_debit_account""",
    ),
    (
        "settlement_hold_credit_account",
        """alter table settlement_hold add constraint settlement_hold_credit_account foreign key (credit_account, currency) references settlement_account (id, currency) on delete restrict on update restrict""",
        """alter table settlement_hold drop constraint if exists settlement_hold_credit_account""",
    ),
    (
        "settlement_hold_debited",
        """create index settlement_hold_debited on settlement_hold (debit_account, id)""",
        """drop index if exists settlement_hold_debited""",
    ),
    (
        "settlement_hold_credited",
        """create index settlement_hold_credited on settlement_hold (credit_account, id)""",
        """drop index if exists settlement_hold_credited""",
    ),
    (
        "settlement_hold_pending",
        """create index settlement_hold_pending on settlement_hold (id) where state = 'pending'""",
        """drop index if exists settlement_hold_pending""",
    ),
    (
        "settlement_hold_expiring",
        """create index settlement_hold_expiring on settlement_hold (expires_at, id) where state = 'pending' and expires_at is not null""",
        """drop index if exists settlement_hold_expiring""",
    ),
    (
        "settlement_hold_kept",
        """
        create function settlement_hold_kept() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE' then
                if old.state = 'pending' and row(old.id, old.key, old.fingerprint, old.kind, old.memo, old.debit_account, old.credit_account, old.amount, old.currency, old.placed_at, old.expires_at)
                    is not distinct from row(new.id, new.key, new.fingerprint, new.kind, new.memo, new.debit_account, new.credit_account, new.amount, new.currency, new.placed_at, new.expires_at)
                then
                    return new;
                end if;
            end if;
            raise exception 'a hold is resolved once, and what it is about never changes'
                using errcode = 'restrict_violation', hint = 'Place another hold.';
        end $$
        """,
        """drop function if exists settlement_hold_kept()""",
    ),
    (
        "settlement_hold_changed",
        """
        do $$ begin
            create trigger settlement_hold_changed before update or delete on settlement_hold
                for each row execute function settlement_hold_kept();
            alter table settlement_hold enable always trigger settlement_hold_changed;
        end $$
        """,
        """drop trigger if exists settlement_hold_changed on settlement_hold""",
    ),
    (
        "settlement_hold_emptied",
        """
        do $$ begin
            create trigger settlement_hold_emptied before truncate on settlement_hold
                for each statement execute function settlement_hold_kept();
            alter table settlement_hold enable always trigger settlement_hold_emptied;
        end $$
        """,
        """drop trigger if exists settlement_hold_emptied on settlement_hold""",
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
