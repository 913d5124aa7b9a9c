"""Tables of reconciliation: bills and their rows, runs, what matched, cases with their history, and what is carried over.

An account is named here by its source, ``wechat:main``, as in the ledger: bills and cases outlive whatever becomes of its
settings. Rows of bills, matches and the history of cases are written once and never changed.
"""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    BigSerial,
    Bytea,
    Date,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index, append_only
from kameng_settlement.tables import LedgerTransaction


class BillDescriptionTable(Table, tablename="settlement_bill_description"):
    """A CSV format that an operator has described."""

    name = Varchar(length=40, primary_key=True, default=None, null=False)
    description = JSONB(null=False, default=None)
    changed_by = Text(null=False, default=None)
    changed_at = Timestamptz(null=False, default=None)

    settlement_bill_description_named = Check("name ~ '^[a-z][a-z0-9-]*$'")


class BillFetchTable(Table, tablename="settlement_bill_fetch"):
    """What became of asking a gateway for a bill; one row for each bill, with how it ended last."""

    id = UUID(primary_key=True, default=None)
    source = Varchar(length=64, null=False, default=None)
    day = Date(null=False, default=None)
    kind = Varchar(length=8, null=False, default=None)
    state = Varchar(length=8, null=False, default=None)
    code = Varchar(length=60, null=False, default="", help_text="Of what is wrong; empty where nothing is.")
    message = Text(null=False, default="")
    cure = Text(null=False, default="")
    tries = Integer(null=False, default=1)
    first_at = Timestamptz(null=False, default=None)
    last_at = Timestamptz(null=False, default=None)

    settlement_bill_fetch_once = Unique(["source", "day", "kind"])
    settlement_bill_fetch_kind = Check("kind in ('trade', 'funds')")
    settlement_bill_fetch_state = Check("state in ('TAKEN', 'EMPTY', 'WAITING', 'FAILED')")
    settlement_bill_fetch_told = Check("(state = 'FAILED') = (code <> '')")


class BillTable(Table, tablename="settlement_bill"):
    """A bill that was read whole. The digest is of the file as it came; ``totals`` are by currency."""

    id = UUID(primary_key=True, default=None)
    source = Varchar(length=64, null=False, default=None)
    day = Date(null=False, default=None)
    kind = Varchar(length=8, null=False, default=None)
    format = Varchar(length=40, null=False, default=None)
    file_name = Text(null=False, default="")
    digest = Bytea(null=False, default=None)
    rows = Integer(null=False, default=None)
    totals = JSONB(null=False, default=None)
    imported_by = Text(null=False, default=None)
    imported_at = Timestamptz(null=False, default=None)

    settlement_bill_once = Unique(["source", "day", "kind"])
    settlement_bill_kind = Check("kind in ('trade', 'funds')")
    settlement_bill_digest = Check("octet_length(digest) = 32")
    settlement_bill_rows = Check("rows >= 0")


class BillRowTable(Table, tablename="settlement_bill_row"):
    """A row of a bill in the normal form.

    ``bill`` is no foreign key: rows come by the million, in the transaction that writes their bill, and neither is ever
    deleted.
    """

    id = BigSerial(primary_key=True)
    bill = UUID(null=False, default=None)
    line = Integer(null=False, default=None)
    kind = Varchar(length=8, null=False, default=None)
    number = Text(null=False, default=None)
    reference = Text(null=False, default=None)
    parent = Text(null=False, default=None)
    status = Varchar(length=8, null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    amount = BigInt(null=False, default=None)
    fee = BigInt(null=True, default=None)
    at = Timestamptz(null=False, default=None)


class ReconciliationTable(Table, tablename="settlement_reconciliation"):
    """The comparison of one day of one account; done again it is the same row."""

    id = UUID(primary_key=True, default=None)
    source = Varchar(length=64, null=False, default=None)
    day = Date(null=False, default=None)
    state = Varchar(length=8, null=False, default=None)
    their_rows = Integer(null=False, default=0)
    our_rows = Integer(null=False, default=0)
    matched = Integer(null=False, default=0)
    carried = Integer(null=False, default=0)
    totals = JSONB(null=False, default="{}")
    started_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)
    run_by = Text(null=False, default=None)

    settlement_reconciliation_once = Unique(["source", "day"])
    settlement_reconciliation_state = Check("state in ('OPEN', 'DONE')")
    settlement_reconciliation_ended = Check("(state = 'DONE') = (ended_at is not null)")


class BillMatchTable(Table, tablename="settlement_bill_match"):
    """A row of a bill and a row of ours that are the same and agree.

    There is one for each row of a bill, so its keys to the row and the run are kept by the code that writes it, in the
    transaction that reads both, and not by foreign keys that would be looked up a million times.
    """

    bill_row = BigInt(primary_key=True, null=False, default=None)
    ours = UUID(null=False, default=None, unique=True)
    reconciliation = UUID(null=False, default=None)


class CaseTable(Table, tablename="settlement_case"):
    """A difference that somebody has to settle.

    ``mark`` is what it is about, unique for the account. ``effect_minor`` and ``fee_effect_minor`` are what the account's
    clearing would have to move by to agree with the gateway, for what was traded and for fees: above zero where money is
    there that we have not recorded.
    """

    id = UUID(primary_key=True, default=None)
    reconciliation = ForeignKey(
        ReconciliationTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    source = Varchar(length=64, null=False, default=None)
    day = Date(null=False, default=None)
    mark = Text(null=False, default=None)
    difference = Varchar(length=16, null=False, default=None)
    kind = Varchar(length=8, null=False, default=None)
    number = Text(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    effect_minor = BigInt(null=False, default=None)
    fee_effect_minor = BigInt(null=False, default=0)
    bill_row = BigInt(null=True, default=None)
    ours = UUID(null=True, default=None)
    theirs_said = JSONB(null=True, default=None)
    ours_said = JSONB(null=True, default=None)
    state = Varchar(length=8, null=False, default=None)
    doubtful_until = Date(null=True, default=None)
    owner = Text(null=True, default=None)
    action = Varchar(length=12, null=True, default=None)
    reason = Text(null=False, default="")
    posted = ForeignKey(
        LedgerTransaction,
        null=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    opened_at = Timestamptz(null=False, default=None)
    settled_at = Timestamptz(null=True, default=None)
    settled_by = Text(null=True, default=None)

    settlement_case_mark = Unique(["source", "mark"])
    settlement_case_difference = Check(
        "difference in ('missing_ours', 'missing_theirs', 'amount', 'fee', 'status', 'duplicate', 'funds')"
    )
    settlement_case_state = Check("state in ('DOUBTFUL', 'OPEN', 'RESOLVED', 'CLEARED')")
    settlement_case_doubt = Check("(state <> 'DOUBTFUL') or (doubtful_until is not null)")
    settlement_case_settled = Check(
        "(state in ('RESOLVED', 'CLEARED')) = (settled_at is not null)"
        " and (settled_at is null) = (settled_by is null)"
        " and (state = 'RESOLVED') = (action is not null)"
        " and (state <> 'RESOLVED' or reason <> '')"
    )
    settlement_case_posted = Check("(action is null or action = 'EXPLAIN') = (posted is null)")


class CaseNoteTable(Table, tablename="settlement_case_note"):
    """What happened to a case, and what people wrote to it; rows are added and never changed."""

    id = BigSerial(primary_key=True)
    case = ForeignKey(
        CaseTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
        db_column_name="case_id",
    )
    what = Varchar(length=12, null=False, default=None)
    author = Text(null=False, default=None)
    text = Text(null=False, default="")
    at = Timestamptz(null=False, default=None)

    settlement_case_note_what = Check(
        "what in ('opened', 'doubt_ended', 'claimed', 'released', 'commented', 'resolved', 'cleared')"
    )
    settlement_case_note_sized = Check("length(text) <= 2000")


class CarryOverTable(Table, tablename="settlement_carry_over"):
    """A row near a day's end whose other side may stand in the next day's bill."""

    id = BigSerial(primary_key=True)
    source = Varchar(length=64, null=False, default=None)
    day = Date(null=False, default=None)
    bill_row = BigInt(null=True, default=None, unique=True)
    ours = UUID(null=True, default=None, unique=True)
    state = Varchar(length=8, null=False, default=None)
    carried_at = Timestamptz(null=False, default=None)
    ended_by = UUID(null=True, default=None)

    settlement_carry_over_side = Check("num_nonnulls(bill_row, ours) = 1")
    settlement_carry_over_state = Check("state in ('OPEN', 'MATCHED', 'CASE')")
    settlement_carry_over_ended = Check("(state = 'OPEN') = (ended_by is null)")


TABLES = [
    BillDescriptionTable,
    BillFetchTable,
    BillTable,
    BillRowTable,
    ReconciliationTable,
    BillMatchTable,
    CaseTable,
    CaseNoteTable,
    CarryOverTable,
]

APPEND_ONLY = (BillTable, BillRowTable, BillMatchTable, CaseNoteTable)
"""What the role that serves the shop may only read and add to."""


_NEVER_CHANGED = "settlement_reconciled_never_changed"


INDEXES: tuple[Index, ...] = (
    Index(
        "settlement_bill_row_of_bill",
        "create index settlement_bill_row_of_bill on settlement_bill_row (bill)",
    ),
    Index(
        "settlement_case_unsettled",
        "create index settlement_case_unsettled on settlement_case (id desc) where state in ('DOUBTFUL', 'OPEN')",
    ),
    Index(
        "settlement_case_of_source",
        "create index settlement_case_of_source on settlement_case (source, id desc)",
    ),
    Index(
        "settlement_case_of_owner",
        "create index settlement_case_of_owner on settlement_case (owner, id desc) where owner is not null",
    ),
    Index(
        "settlement_case_number",
        "create index settlement_case_number on settlement_case (number)",
    ),
    Index(
        "settlement_case_note_of_case",
        "create index settlement_case_note_of_case on settlement_case_note (case_id, id)",
    ),
    Index(
        "settlement_carry_over_open",
        "create index settlement_carry_over_open on settlement_carry_over (source, day) where state = 'OPEN'",
    ),
    # Our side of a day is read by these; they belong to tables of payments.
    Index(
        "settlement_payment_observation_reconciled",
        "create index settlement_payment_observation_reconciled"
        " on settlement_payment_observation (account, coalesce(paid_at, at)) where taken",
    ),
    Index(
        "settlement_payment_observation_number",
        "create index settlement_payment_observation_number"
        " on settlement_payment_observation (number) where taken",
    ),
    Index(
        "settlement_payment_attempt_reconciled",
        "create index settlement_payment_attempt_reconciled on settlement_payment_attempt (account, started_at)",
    ),
    Index(
        "settlement_payment_refund_reconciled",
        "create index settlement_payment_refund_reconciled"
        " on settlement_payment_refund (account, coalesce(settled_at, created_at))",
    ),
    Index(
        _NEVER_CHANGED,
        f"""
        create function {_NEVER_CHANGED}() returns trigger language plpgsql as $$
        begin
            raise exception '% is evidence: it is never changed, only added to', tg_table_name
                using errcode = 'restrict_violation';
        end $$
        """,
        f"drop function if exists {_NEVER_CHANGED}()",
    ),
    *(append_only(table._meta.tablename, _NEVER_CHANGED) for table in APPEND_ONLY),
)
"""What Piccolo's columns cannot say."""
