"""The table of holds.

A hold that waits counts in ``settlement_balance.pending`` of the account that will pay, and so against its floor.
It is resolved once: a trigger refuses any change of what was resolved, and of what a hold is about.
"""

from piccolo.columns import UUID, BigInt, Bytea, ForeignKey, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_settlement.tables import LedgerTransaction


class HoldTable(Table, tablename="settlement_hold"):
    """Money that is set aside for a posting that may come.

    ``kind`` and ``memo`` are those of the ledger transaction that it becomes; ``resolution_key`` is the
    idempotency key under which it was posted or voided.
    """

    id = UUID(primary_key=True, default=None)
    key = Text(null=False, default=None, unique=True)
    fingerprint = Bytea(null=False, default=None)
    kind = Text(null=False, default=None)
    memo = Text(null=False, default="")
    debit_account = UUID(null=False, default=None)
    credit_account = UUID(null=False, default=None)
    amount = BigInt(null=False, default=None)
    currency = Text(null=False, default=None)
    placed_at = Timestamptz(null=False, default=None)
    expires_at = Timestamptz(null=True, default=None)
    state = Text(null=False, default="pending")
    resolved_at = Timestamptz(null=True, default=None)
    resolution_key = Text(null=True, default=None, unique=True)
    posted = BigInt(null=True, default=None)
    transaction = ForeignKey(
        LedgerTransaction,
        null=True,
        default=None,
        unique=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )

    settlement_hold_key_sized = Check("length(key) between 1 and 200")
    settlement_hold_fingerprinted = Check("octet_length(fingerprint) = 32")
    settlement_hold_memo_sized = Check("length(memo) <= 500")
    settlement_hold_some_money = Check("amount > 0")
    settlement_hold_two_accounts = Check("debit_account <> credit_account")
    settlement_hold_state_known = Check("state in ('pending', 'posted', 'voided', 'expired')")
    settlement_hold_resolved = Check("(state = 'pending') = (resolved_at is null)")
    settlement_hold_asked = Check("(state in ('posted', 'voided')) = (resolution_key is not null)")
    settlement_hold_carried = Check(
        "(state = 'posted') = (transaction is not null) and (state = 'posted') = (posted is not null)"
    )
    settlement_hold_within = Check("posted between 1 and amount")


def _account_key(side: str) -> Index:
    name = f"settlement_hold_{side}_account"
    return Index(
        name,
        f"alter table settlement_hold add constraint {name} foreign key ({side}_account, currency)"
        " references settlement_account (id, currency) on delete restrict on update restrict",
        f"alter table settlement_hold drop constraint if exists {name}",
    )


_ABOUT = ", ".join(
    f"{{row}}.{name}"
    for name in (
        "id",
        "key",
        "fingerprint",
        "kind",
        "memo",
        "debit_account",
        "credit_account",
        "amount",
        "currency",
        "placed_at",
        "expires_at",
    )
)

INDEXES: tuple[Index, ...] = (
    _account_key("debit"),
    _account_key("credit"),
    Index(
        "settlement_hold_debited",
        "create index settlement_hold_debited on settlement_hold (debit_account, id)",
    ),
    Index(
        "settlement_hold_credited",
        "create index settlement_hold_credited on settlement_hold (credit_account, id)",
    ),
    Index(
        "settlement_hold_pending",
        "create index settlement_hold_pending on settlement_hold (id) where state = 'pending'",
    ),
    Index(
        "settlement_hold_expiring",
        "create index settlement_hold_expiring on settlement_hold (expires_at, id)"
        " where state = 'pending' and expires_at is not null",
    ),
    Index(
        "settlement_hold_kept",
        f"""
        create function settlement_hold_kept() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE' then
                if old.state = 'pending' and row({_ABOUT.format(row="old")})
                    is not distinct from row({_ABOUT.format(row="new")})
                then
                    return new;
                end if;
            end if;
            raise exception 'a hold is resolved once, and what it is about never changes'
                using errcode = 'restrict_violation', hint = 'Place another hold.';
        end $$
        """,
        "drop function if exists settlement_hold_kept()",
    ),
    Index(
        "settlement_hold_changed",
        """
        do $$ begin
            create trigger settlement_hold_changed before update or delete on settlement_hold
                for each row execute function settlement_hold_kept();
            alter table settlement_hold enable always trigger settlement_hold_changed;
        end $$
        """,
        "drop trigger if exists settlement_hold_changed on settlement_hold",
    ),
    Index(
        "settlement_hold_emptied",
        """
        do $$ begin
            create trigger settlement_hold_emptied before truncate on settlement_hold
                for each statement execute function settlement_hold_kept();
            alter table settlement_hold enable always trigger settlement_hold_emptied;
        end $$
        """,
        "drop trigger if exists settlement_hold_emptied on settlement_hold",
    ),
)
"""Keys over two columns, partial indexes, and holds that stay as they were resolved."""
