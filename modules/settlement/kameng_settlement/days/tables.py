"""Tables of sealed days and of checks. Both are journals."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Boolean,
    Bytea,
    Date,
    Integer,
    Timestamptz,
)
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index, append_only


class LedgerDay(Table, tablename="settlement_ledger_day"):
    """A day (UTC) of the ledger as it was when it was over.

    ``content`` is the hash of its transactions and postings in order, ``hash`` ties it to the day before, and
    the signature is the vault's, whose key the database never sees.
    """

    day = Date(primary_key=True, null=False, default=None)
    transactions = BigInt(null=False, default=None)
    postings = BigInt(null=False, default=None)
    content = Bytea(null=False, default=None)
    hash = Bytea(null=False, default=None)
    key_version = Integer(null=False, default=None)
    mac = Bytea(null=False, default=None)
    sealed_at = Timestamptz(null=False, default=None)

    settlement_ledger_day_hashed = Check(
        "octet_length(content) = 32 and octet_length(hash) = 32 and octet_length(mac) = 32"
    )
    settlement_ledger_day_counted = Check("transactions >= 0 and postings >= 0")


class LedgerCheckTable(Table, tablename="settlement_ledger_check"):
    """A check of the whole ledger, and what it found: at most so many texts, and how many there were."""

    id = UUID(primary_key=True, default=None)
    began_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=False, default=None)
    accounts = BigInt(null=False, default=None)
    transactions = BigInt(null=False, default=None)
    postings = BigInt(null=False, default=None)
    whole = Boolean(null=False, default=None)
    found = Integer(null=False, default=None)
    findings = JSONB(null=False, default=None)

    settlement_ledger_check_counted = Check("whole = (found = 0)")


INDEXES: tuple[Index, ...] = (
    Index(
        "settlement_ledger_transaction_posted",
        # The journal grows with time, so the smallest kind of index finds a day; an insert hardly notices it.
        "create index settlement_ledger_transaction_posted on settlement_ledger_transaction"
        " using brin (posted_at) with (pages_per_range = 32, autosummarize = on)",
    ),
    Index(
        "settlement_ledger_transaction_effective",
        # What counts for another time than it was posted at, which few transactions do; a sale is not in it.
        "create index settlement_ledger_transaction_effective on settlement_ledger_transaction (effective_at)"
        " where effective_at <> posted_at",
    ),
    Index(
        "settlement_only_added_to",
        """
        create function settlement_only_added_to() returns trigger language plpgsql as $$
        begin
            raise exception '% is only added to', tg_table_name
                using errcode = 'restrict_violation', hint = 'What was sealed stays as it is.';
        end $$
        """,
        "drop function if exists settlement_only_added_to()",
    ),
    append_only("settlement_ledger_day", "settlement_only_added_to", "settlement_ledger_day_added_to"),
    append_only("settlement_ledger_check", "settlement_only_added_to", "settlement_ledger_check_added_to"),
)
"""How a day's transactions are found, and what keeps these journals as they are."""
