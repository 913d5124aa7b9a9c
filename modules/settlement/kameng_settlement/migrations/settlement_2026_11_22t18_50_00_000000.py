"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_settlement.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Keys over two columns, partial indexes and journals that never change"

CREATE_AND_DROP = (
    (
        (
            "alter table settlement_posting add constraint settlement_posting_debit_account foreign "
            "key (debit_account, currency) references settlement_account (id, currency) on delete "
            "restrict on update restrict"
        ),
        ("alter table settlement_posting drop constraint if exists settlement_posting_debit_account"),
    ),
    (
        (
            "alter table settlement_posting add constraint settlement_posting_credit_account foreign "
            "key (credit_account, currency) references settlement_account (id, currency) on delete "
            "restrict on update restrict"
        ),
        ("alter table settlement_posting drop constraint if exists settlement_posting_credit_account"),
    ),
    (
        "create index settlement_posting_debited on settlement_posting (debit_account, id)",
        "drop index if exists settlement_posting_debited",
    ),
    (
        "create index settlement_posting_credited on settlement_posting (credit_account, id)",
        "drop index if exists settlement_posting_credited",
    ),
    (
        (
            "create unique index settlement_ledger_transaction_reversed on "
            "settlement_ledger_transaction (reverses) where reverses is not null"
        ),
        "drop index if exists settlement_ledger_transaction_reversed",
    ),
    (
        (
            "alter table settlement_balance add constraint settlement_balance_bounded_account foreign"
            " key (account, bounded) references settlement_account (id, bounded) on delete restrict "
            "on update restrict"
        ),
        ("alter table settlement_balance drop constraint if exists settlement_balance_bounded_account"),
    ),
    (
        ("create unique index settlement_balance_one_bounded on settlement_balance (account) where bounded"),
        "drop index if exists settlement_balance_one_bounded",
    ),
    (
        "create index settlement_balance_account on settlement_balance (account)",
        "drop index if exists settlement_balance_account",
    ),
    (
        ("alter table settlement_balance set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)"),
        "alter table settlement_balance reset (fillfactor, autovacuum_vacuum_scale_factor)",
    ),
    (
        """
        create function settlement_never_changed() returns trigger language plpgsql as $$
        begin
            raise exception '% is a journal: it is never changed, only added to', tg_table_name
                using errcode = 'restrict_violation', hint = 'Post a reversal.';
        end $$
        """,
        "drop function if exists settlement_never_changed()",
    ),
    (
        """
        do $$ begin
            create trigger settlement_ledger_transaction_never_changed before update or delete or truncate on settlement_ledger_transaction
                for each statement execute function settlement_never_changed();
            alter table settlement_ledger_transaction enable always trigger settlement_ledger_transaction_never_changed;
        end $$
        """,
        (
            "drop trigger if exists settlement_ledger_transaction_never_changed on "
            "settlement_ledger_transaction"
        ),
    ),
    (
        """
        do $$ begin
            create trigger settlement_posting_never_changed before update or delete or truncate on settlement_posting
                for each statement execute function settlement_never_changed();
            alter table settlement_posting enable always trigger settlement_posting_never_changed;
        end $$
        """,
        "drop trigger if exists settlement_posting_never_changed on settlement_posting",
    ),
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="settlement", description=DESCRIPTION)

    async def create() -> None:
        for sql, _ in CREATE_AND_DROP:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, sql in reversed(CREATE_AND_DROP):
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
