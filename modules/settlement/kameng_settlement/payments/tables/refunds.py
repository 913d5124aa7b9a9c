"""What goes back by the gateway that it came in by."""

from piccolo.columns import (
    UUID,
    BigInt,
    ForeignKey,
    OnDelete,
    OnUpdate,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_settlement.payments.tables.accounts import MerchantAccountTable
from kameng_settlement.payments.tables.payments import PaymentTable
from kameng_settlement.tables import LedgerTransaction


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


INDEXES: tuple[Index, ...] = (
    Index(
        "settlement_payment_refund_due",
        "create index settlement_payment_refund_due on settlement_payment_refund (next_at)"
        " where state in ('REQUESTED', 'ACCEPTED')",
    ),
    Index(
        "settlement_payment_refund_by_account",
        "create index settlement_payment_refund_by_account on settlement_payment_refund (account, created_at)",
    ),
)
"""What Piccolo's columns cannot say."""
