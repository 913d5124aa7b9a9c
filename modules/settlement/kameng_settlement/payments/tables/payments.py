"""What is to be paid, each try to pay it, what happened to it, and what gateways said."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Boolean,
    Bytea,
    ForeignKey,
    OnDelete,
    OnUpdate,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index, append_only
from kameng_settlement.payments.tables.accounts import MerchantAccountTable
from kameng_settlement.tables import LedgerTransaction


class PaymentTable(Table, tablename="settlement_payment"):
    """Something that somebody is to pay from outside, once.

    ``purpose`` and ``subject`` say what for, in the words of the module that asked; ``payer`` is whose wallet the money
    goes to. ``paid_to`` is the account that it came in by, ``paid_attempt`` the try.
    """

    id = UUID(primary_key=True, default=None)
    number = Varchar(length=26, null=False, default=None, unique=True)
    key = Varchar(length=200, null=False, default=None, unique=True, help_text="The asker's idempotency key.")
    purpose = Varchar(length=40, null=False, default=None)
    subject = UUID(null=False, default=None)
    payer = UUID(null=False, default=None)
    payer_kind = Varchar(length=10, null=False, default="member")
    amount_minor = BigInt(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    site = Varchar(length=64, null=False, default="", help_text="Empty: the operator's own.")
    memo = Text(null=False, default="")
    state = Varchar(length=10, null=False, default="CREATED")
    refunded_minor = BigInt(null=False, default=0)
    paid_to = ForeignKey(
        MerchantAccountTable,
        null=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    paid_attempt = UUID(null=True, default=None)
    transaction = Varchar(length=120, null=True, default=None, help_text="The gateway's own number of it.")
    created_at = Timestamptz(null=False, default=None)
    expires_at = Timestamptz(null=False, default=None)
    paid_at = Timestamptz(null=True, default=None)

    settlement_payment_state = Check("state in ('CREATED', 'PENDING', 'PAID', 'CLOSED', 'EXPIRED', 'FAILED')")
    settlement_payment_payer_kind = Check("payer_kind in ('member', 'guest')")
    settlement_payment_some_money = Check("amount_minor > 0")
    settlement_payment_currency_iso = Check("currency ~ '^[A-Z]{3}$'")
    settlement_payment_refunded = Check("refunded_minor between 0 and amount_minor")
    settlement_payment_refunded_if_paid = Check("refunded_minor = 0 or state = 'PAID'")
    settlement_payment_paid_told = Check(
        "(state = 'PAID') = (paid_at is not null) and (state = 'PAID') = (paid_to is not null)"
        " and (state = 'PAID') = (transaction is not null)"
    )
    settlement_payment_memo_sized = Check("length(memo) <= 200")


class PaymentAttemptTable(Table, tablename="settlement_payment_attempt"):
    """One try to pay at one account, under a number of its own there.

    It is written down before the gateway is asked, so that whatever becomes of the asker, the gateway can be asked what
    became of it. ``next_at`` is when it is asked next, ``busy_until`` the lease of whoever is at it.
    """

    id = UUID(primary_key=True, default=None)
    payment = ForeignKey(
        PaymentTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    account = ForeignKey(
        MerchantAccountTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    number = Varchar(length=26, null=False, default=None, unique=True)
    flow = Varchar(length=10, null=False, default=None)
    method = Varchar(length=20, null=False, default="")
    state = Varchar(length=10, null=False, default="STARTING")
    answer = JSONB(null=True, default=None, help_text="What the payer goes on with.")
    gateway_reference = Varchar(length=120, null=True, default=None)
    note = Text(null=False, default="", help_text="The last that is known of it, for people.")
    asks = SmallInt(null=False, default=0)
    next_at = Timestamptz(null=True, default=None)
    busy_until = Timestamptz(null=True, default=None)
    started_at = Timestamptz(null=False, default=None)
    expires_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None)

    settlement_payment_attempt_flow = Check("flow in ('qr', 'redirect', 'in_app', 'balance', 'manual')")
    settlement_payment_attempt_state = Check(
        "state in ('STARTING', 'WAITING', 'UNKNOWN', 'PAID', 'CLOSED', 'FAILED')"
    )
    settlement_payment_attempt_ended = Check(
        "(state in ('PAID', 'CLOSED', 'FAILED')) = (ended_at is not null)"
    )


class PaymentHistoryTable(Table, tablename="settlement_payment_history"):
    """What happened to a payment; rows are added and never changed."""

    id = UUID(primary_key=True, default=None)
    payment = ForeignKey(
        PaymentTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    at = Timestamptz(null=False, default=None)
    from_state = Varchar(length=10, null=True, default=None)
    to_state = Varchar(length=10, null=False, default=None)
    actor = Text(null=False, default=None)
    note = Text(null=False, default="")


class PaymentObservationTable(Table, tablename="settlement_payment_observation"):
    """What a gateway said of a payment, and what came of it; rows are added and never changed.

    A transaction of an account takes effect once: those with ``taken`` are unique. What was said in the same bytes, and
    came to the same, is kept once.
    """

    id = UUID(primary_key=True, default=None)
    account = ForeignKey(
        MerchantAccountTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    payment = ForeignKey(
        PaymentTable,
        null=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    number = Varchar(length=64, null=False, default=None)
    told_by = Varchar(length=12, null=False, default=None)
    status = Varchar(length=10, null=False, default=None)
    transaction = Varchar(length=120, null=True, default=None)
    merchant = Varchar(length=64, null=True, default=None)
    amount_minor = BigInt(null=True, default=None)
    currency = Varchar(length=3, null=True, default=None)
    fee_minor = BigInt(null=True, default=None)
    digest = Bytea(null=False, default=None)
    outcome = Varchar(length=20, null=False, default=None)
    taken = Boolean(null=False, default=False)
    posted = ForeignKey(
        LedgerTransaction,
        null=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    note = Text(null=False, default="")
    paid_at = Timestamptz(null=True, default=None)
    at = Timestamptz(null=False, default=None)

    settlement_payment_observation_once = Unique(["account", "number", "digest", "outcome"])
    settlement_payment_observation_told_by = Check("told_by in ('notification', 'query', 'close', 'person')")
    settlement_payment_observation_digest = Check("octet_length(digest) = 32")
    settlement_payment_observation_taken = Check(
        "not taken or (payment is not null and transaction is not null and amount_minor > 0)"
    )


NEVER_CHANGED = "settlement_payment_never_changed"
"""The function of the database that refuses changes."""

INDEXES: tuple[Index, ...] = (
    Index(
        "settlement_payment_observation_taken_once",
        "create unique index settlement_payment_observation_taken_once"
        " on settlement_payment_observation (account, transaction) where taken",
    ),
    Index(
        "settlement_payment_observation_of_payment",
        "create index settlement_payment_observation_of_payment"
        " on settlement_payment_observation (payment, id) where payment is not null",
    ),
    Index(
        "settlement_payment_observation_evidence",
        "create index settlement_payment_observation_evidence on settlement_payment_observation (id)"
        " where outcome not in ('PAID', 'PENDING', 'CLOSED', 'FAILED', 'REPEATED')",
    ),
    Index(
        "settlement_payment_history_of_payment",
        "create index settlement_payment_history_of_payment on settlement_payment_history (payment, id)",
    ),
    Index(
        "settlement_payment_of_payer",
        "create index settlement_payment_of_payer on settlement_payment (payer, id)",
    ),
    Index(
        "settlement_payment_of_subject",
        "create index settlement_payment_of_subject on settlement_payment (subject)",
    ),
    Index(
        "settlement_payment_by_transaction",
        "create index settlement_payment_by_transaction on settlement_payment (transaction)"
        " where transaction is not null",
    ),
    Index(
        "settlement_payment_by_account",
        "create index settlement_payment_by_account on settlement_payment (paid_to, paid_at) where state = 'PAID'",
    ),
    Index(
        "settlement_payment_open",
        "create index settlement_payment_open on settlement_payment (expires_at)"
        " where state in ('CREATED', 'PENDING')",
    ),
    Index(
        "settlement_payment_memo",
        "create index settlement_payment_memo on settlement_payment (memo) where memo <> ''",
    ),
    Index(
        "settlement_payment_in_state",
        "create index settlement_payment_in_state on settlement_payment (state, id)",
    ),
    Index(
        "settlement_payment_opened",
        "create index settlement_payment_opened on settlement_payment (created_at)",
    ),
    Index(
        "settlement_payment_attempt_transfer",
        "create index settlement_payment_attempt_transfer on settlement_payment_attempt (payment)"
        " where flow = 'manual' and state in ('STARTING', 'WAITING', 'UNKNOWN')",
    ),
    Index(
        "settlement_payment_attempt_due",
        "create index settlement_payment_attempt_due on settlement_payment_attempt (next_at)"
        " where state in ('STARTING', 'WAITING', 'UNKNOWN')",
    ),
    Index(
        NEVER_CHANGED,
        f"""
        create function {NEVER_CHANGED}() returns trigger language plpgsql as $$
        begin
            raise exception '% is evidence: it is never changed, only added to', tg_table_name
                using errcode = 'restrict_violation';
        end $$
        """,
        f"drop function if exists {NEVER_CHANGED}()",
    ),
    append_only("settlement_payment_history", NEVER_CHANGED),
    append_only("settlement_payment_observation", NEVER_CHANGED),
)
"""What Piccolo's columns cannot say."""
