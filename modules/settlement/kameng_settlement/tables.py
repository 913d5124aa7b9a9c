"""Tables of the ledger: who can hold money, what happened, and what each holder has now.

Two of them are journals: a ledger transaction and its postings are written once and never changed; a trigger
and the rights of the application's role see to it. A correction is another transaction that reverses the
first.
"""

from piccolo.columns import (
    UUID,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    ForeignKey,
    OnDelete,
    OnUpdate,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index, append_only


class Account(Table, tablename="settlement_account"):
    """A place that money can be in: a member's wallet, the shop's sales, a gateway's clearing account.

    ``kind`` is an entry of the chart of accounts; ``owner_kind`` and ``owner_id`` say whose it is, with the
    nil UUID for the house. A ``bounded`` account has a floor below which it never goes; an unbounded one
    takes whatever is posted.
    """

    id = UUID(primary_key=True, default=None)
    kind = Text(null=False, default=None)
    owner_kind = Text(null=False, default=None)
    owner_id = UUID(null=False, default=None)
    currency = Text(null=False, default=None)
    normal_side = Text(null=False, default=None)
    bounded = Boolean(null=False, default=None)
    opened_at = Timestamptz(null=False)

    settlement_account_owner = Unique(["owner_id", "kind", "currency", "owner_kind"])
    settlement_account_currency = Unique(["id", "currency"])
    settlement_account_bounded = Unique(["id", "bounded"])
    settlement_account_side_known = Check("normal_side in ('debit', 'credit')")
    settlement_account_currency_iso = Check("currency ~ '^[A-Z]{3}$'")


class LedgerTransaction(Table, tablename="settlement_ledger_transaction"):
    """Something that moved money, once.

    The key is used for ever; the fingerprint tells a repetition from another request under the same key.
    """

    id = UUID(primary_key=True, default=None)
    key = Text(null=False, default=None, unique=True)
    fingerprint = Bytea(null=False, default=None)
    kind = Text(null=False, default=None)
    memo = Text(null=False, default="")
    effective_at = Timestamptz(null=False, default=None)
    posted_at = Timestamptz(null=False, default=None)
    reverses: "ForeignKey[LedgerTransaction]" = ForeignKey(
        "self",
        null=True,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )

    settlement_ledger_transaction_key_sized = Check("length(key) between 1 and 200")
    settlement_ledger_transaction_fingerprinted = Check("octet_length(fingerprint) = 32")
    settlement_ledger_transaction_memo_sized = Check("length(memo) <= 500")
    settlement_ledger_transaction_not_itself = Check("reverses <> id")


class Posting(Table, tablename="settlement_posting"):
    """An amount that went from one account to another.

    One row is both sides, so no entry can be out of balance. The two foreign keys to the accounts stand in
    `INDEXES`, since they hold the currency as well: money of two currencies cannot meet in a posting.
    """

    id = BigSerial(primary_key=True)
    transaction = ForeignKey(
        LedgerTransaction,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    seq = SmallInt(null=False, default=None)
    debit_account = UUID(null=False, default=None)
    credit_account = UUID(null=False, default=None)
    amount = BigInt(null=False, default=None)
    currency = Text(null=False, default=None)

    settlement_posting_place = Unique(["transaction", "seq"])
    settlement_posting_some_money = Check("amount > 0")
    settlement_posting_two_accounts = Check("debit_account <> credit_account")
    settlement_posting_seq_counted = Check("seq > 0")


class Balance(Table, tablename="settlement_balance"):
    """What an account has taken in and given out: the sum of its rows.

    A bounded account has exactly one row, locked and updated with each posting, and its floor is a
    constraint. An unbounded account gets another row with each batch of postings, so that nobody waits for
    anybody; a task folds them into one.
    """

    id = BigSerial(primary_key=True)
    account = UUID(null=False, default=None)
    bounded = Boolean(null=False, default=None)
    debits = BigInt(null=False, default=0)
    credits = BigInt(null=False, default=0)
    pending = BigInt(null=False, default=0)
    floor = BigInt(null=True, default=None)

    settlement_balance_floor_kept = Check("credits - debits - pending >= floor")
    settlement_balance_floor_given = Check("bounded = (floor is not null)")
    settlement_balance_counted_up = Check("debits >= 0 and credits >= 0 and pending >= 0")


class ChargeRefund(Table, tablename="settlement_charge_refund"):
    """What of a charge was given back: the row that refunds of one charge take turns at.

    It comes with the first refund or reversal, so that charges that stay cost nothing.
    """

    charge = ForeignKey(
        LedgerTransaction,
        primary_key=True,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    charged = BigInt(null=False, default=None)
    refunded = BigInt(null=False, default=0)
    reversed = Boolean(null=False, default=False)

    settlement_charge_refund_within = Check("refunded between 0 and charged")
    settlement_charge_refund_once = Check("not (reversed and refunded > 0)")


class RefundTable(Table, tablename="settlement_refund"):
    """A refund: the ledger transaction that carries it, and the charge that it gives back."""

    transaction = ForeignKey(
        LedgerTransaction,
        primary_key=True,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    charge = ForeignKey(
        LedgerTransaction,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    amount = BigInt(null=False, default=None)

    settlement_refund_some_money = Check("amount > 0")


_NEVER_CHANGED = "settlement_never_changed"


def _currency_key(side: str) -> Index:
    name = f"settlement_posting_{side}_account"
    return Index(
        name,
        f"alter table settlement_posting add constraint {name} foreign key ({side}_account, currency)"
        " references settlement_account (id, currency) on delete restrict on update restrict",
        f"alter table settlement_posting drop constraint if exists {name}",
    )


INDEXES: tuple[Index, ...] = (
    _currency_key("debit"),
    _currency_key("credit"),
    Index(
        "settlement_posting_debited",
        "create index settlement_posting_debited on settlement_posting (debit_account, id)",
    ),
    Index(
        "settlement_posting_credited",
        "create index settlement_posting_credited on settlement_posting (credit_account, id)",
    ),
    Index(
        "settlement_ledger_transaction_reversed",
        "create unique index settlement_ledger_transaction_reversed"
        " on settlement_ledger_transaction (reverses) where reverses is not null",
    ),
    Index(
        "settlement_balance_bounded_account",
        "alter table settlement_balance add constraint settlement_balance_bounded_account"
        " foreign key (account, bounded) references settlement_account (id, bounded)"
        " on delete restrict on update restrict",
        "alter table settlement_balance drop constraint if exists settlement_balance_bounded_account",
    ),
    Index(
        "settlement_balance_one_bounded",
        "create unique index settlement_balance_one_bounded on settlement_balance (account) where bounded",
    ),
    Index(
        "settlement_balance_account",
        "create index settlement_balance_account on settlement_balance (account)",
    ),
    Index(
        "settlement_balance",
        # Half of each page stays free for the next version of a wallet's row, so that an update touches no
        # index.
        "alter table settlement_balance set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)",
        "alter table settlement_balance reset (fillfactor, autovacuum_vacuum_scale_factor)",
    ),
    Index(
        _NEVER_CHANGED,
        f"""
        create function {_NEVER_CHANGED}() returns trigger language plpgsql as $$
        begin
            raise exception '% is a journal: it is never changed, only added to', tg_table_name
                using errcode = 'restrict_violation', hint = 'Post a reversal.';
        end $$
        """,
        f"drop function if exists {_NEVER_CHANGED}()",
    ),
    append_only("settlement_ledger_transaction", _NEVER_CHANGED),
    append_only("settlement_posting", _NEVER_CHANGED),
    append_only("settlement_refund", _NEVER_CHANGED),
)
"""What Piccolo's columns cannot say: keys over two columns, partial indexes, storage, and immutability."""
