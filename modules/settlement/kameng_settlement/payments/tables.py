"""Payments: our accounts with gateways, what is to be paid, each try to pay it, what gateways said, and what went back."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
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
from kameng_settlement.tables import LedgerTransaction


class MerchantAccountTable(Table, tablename="settlement_merchant_account"):
    """One of our accounts with a gateway. Its settings, secrets among them, are sealed.

    ``code`` stands in the ledger's names, so it never changes: the account's money is at ``clearing:<gateway>:<code>``.
    ``failures`` counts calls without an answer since the last one with one; until ``resting_until`` it is asked last.
    """

    id = UUID(primary_key=True, default=None)
    gateway = Varchar(length=20, null=False, default=None)
    code = Varchar(length=40, null=False, default=None)
    name = Text(null=False, default=None)
    merchant = Varchar(length=64, null=False, default=None, help_text="What we are called at the gateway.")
    sealed_settings = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    currencies = Array(base_column=Text(), null=False, default=list)
    sites = Array(base_column=Text(), null=False, default=list, help_text="Codes; none: all sites.")
    minimum_minor = BigInt(null=False, default=1)
    maximum_minor = BigInt(null=True, default=None)
    fee_ppm = Integer(null=False, default=0, help_text="Millionths of the amount that the gateway keeps.")
    fee_fixed_minor = BigInt(null=False, default=0)
    priority = SmallInt(null=False, default=100, help_text="Those with a smaller number are asked first.")
    weight = SmallInt(null=False, default=1, help_text="The share of payments among equals.")
    timeout_seconds = SmallInt(null=False, default=15)
    enabled = Boolean(null=False, default=False)
    failures = Integer(null=False, default=0)
    resting_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    changed_at = Timestamptz(null=False, default=None)

    settlement_merchant_account_code = Unique(["gateway", "code"])
    settlement_merchant_account_gateway_named = Check("gateway ~ '^[a-z][a-z0-9_]*$'")
    settlement_merchant_account_code_plain = Check("code ~ '^[A-Za-z0-9_.-]+$'")
    settlement_merchant_account_merchant_known = Check("merchant <> ''")
    settlement_merchant_account_currencies = Check("cardinality(currencies) > 0")
    settlement_merchant_account_amounts = Check("minimum_minor > 0 and maximum_minor >= minimum_minor")
    settlement_merchant_account_fee = Check("fee_ppm between 0 and 500000 and fee_fixed_minor >= 0")
    settlement_merchant_account_weight = Check("weight between 1 and 1000")
    settlement_merchant_account_timeout = Check("timeout_seconds between 1 and 60")


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


class PaymentRefundTable(Table, tablename="settlement_payment_refund"):
    """Money on its way back by the gateway that it came in by.

    The wallet gives it first; ``returned`` is the transaction that puts it back there where the gateway would not.
    It keeps its number however often it is sent.
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
    key = Varchar(length=200, null=False, default=None, unique=True)
    amount_minor = BigInt(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    reason = Text(null=False, default="")
    state = Varchar(length=10, null=False, default="REQUESTED")
    requested_by = Text(null=False, default=None)
    posted = ForeignKey(
        LedgerTransaction,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    returned = ForeignKey(
        LedgerTransaction,
        null=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    gateway_reference = Varchar(length=120, null=True, default=None)
    note = Text(null=False, default="", help_text="The last that is known of it, for people.")
    sends = SmallInt(null=False, default=0)
    asks = SmallInt(null=False, default=0)
    next_at = Timestamptz(null=True, default=None)
    busy_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    settled_at = Timestamptz(null=True, default=None)

    settlement_payment_refund_state = Check("state in ('REQUESTED', 'ACCEPTED', 'SUCCEEDED', 'FAILED')")
    settlement_payment_refund_some_money = Check("amount_minor > 0")
    settlement_payment_refund_settled = Check(
        "(state in ('SUCCEEDED', 'FAILED')) = (settled_at is not null)"
        " and (state = 'FAILED') = (returned is not null)"
    )


class TransferProofTable(Table, tablename="settlement_transfer_proof"):
    """A picture or document by which a payer shows a transfer; sealed."""

    id = UUID(primary_key=True, default=None)
    attempt = ForeignKey(
        PaymentAttemptTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    media_type = Varchar(length=40, null=False, default=None)
    size = Integer(null=False, default=None)
    digest = Bytea(null=False, default=None)
    sealed = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    at = Timestamptz(null=False, default=None)

    settlement_transfer_proof_once = Unique(["attempt", "digest"])


class TransferConfirmationTable(Table, tablename="settlement_transfer_confirmation"):
    """That somebody of the staff has seen a transfer's money; rows are added and never changed.

    ``about`` is what was transferred for: an attempt, or the subject of whoever asks for two persons. The table itself lets
    nobody confirm the same twice, and lets the second one say nothing else than the first.
    """

    id = UUID(primary_key=True, default=None)
    about = UUID(null=False, default=None)
    reference = Varchar(length=120, null=False, default=None)
    place = SmallInt(null=False, default=None, help_text="1: who saw it first; 2: the second.")
    person = UUID(null=False, default=None)
    amount_minor = BigInt(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    at = Timestamptz(null=False, default=None)

    settlement_transfer_confirmation_place = Unique(["about", "reference", "place"])
    settlement_transfer_confirmation_person = Unique(["about", "reference", "person"])
    settlement_transfer_confirmation_two = Check("place in (1, 2)")
    settlement_transfer_confirmation_some_money = Check("amount_minor > 0")


TABLES = [
    MerchantAccountTable,
    PaymentTable,
    PaymentAttemptTable,
    PaymentHistoryTable,
    PaymentObservationTable,
    PaymentRefundTable,
    TransferProofTable,
    TransferConfirmationTable,
]


_NEVER_CHANGED = "settlement_payment_never_changed"


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
        "settlement_payment_refund_due",
        "create index settlement_payment_refund_due on settlement_payment_refund (next_at)"
        " where state in ('REQUESTED', 'ACCEPTED')",
    ),
    Index(
        "settlement_payment_refund_by_account",
        "create index settlement_payment_refund_by_account on settlement_payment_refund (account, created_at)",
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
    append_only("settlement_payment_history", _NEVER_CHANGED),
    append_only("settlement_payment_observation", _NEVER_CHANGED),
    append_only("settlement_transfer_confirmation", _NEVER_CHANGED),
)
"""What Piccolo's columns cannot say."""
