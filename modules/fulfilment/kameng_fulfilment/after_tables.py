"""What became of orders after they were placed: payments, refunds, what was delivered by hand, tickets."""

from piccolo.columns import UUID, BigInt, Bytea, ForeignKey, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import JSONB
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index
from kameng_fulfilment.tables import OrderLineTable, OrderTable


class PaymentTable(Table, tablename="fulfilment_payment"):
    """A payment from outside that came in for an order, and what became of it."""

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(
        OrderTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    source = Text(null=False, default=None)
    reference = Text(null=False, default=None)
    amount_minor = BigInt(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    outcome = Varchar(length=12, null=False, default=None)
    transaction = UUID(null=False, default=None, help_text="The ledger transaction that took it in.")
    actor = Text(null=False, default=None)
    at = Timestamptz(null=False, default=None)

    fulfilment_payment_once = Unique(["source", "reference"])
    fulfilment_payment_some_money = Check("amount_minor > 0")
    fulfilment_payment_outcome = Check("outcome in ('PAID', 'PAID_LATE', 'UNDERPAID', 'CREDITED')")


class RefundTable(Table, tablename="fulfilment_refund"):
    """A refund: how much of an order went back into the buyer's wallet, and why."""

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(
        OrderTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    key = Varchar(length=200, null=False, default=None)
    fingerprint = Bytea(null=False, default=None)
    amount_minor = BigInt(null=False, default=None)
    lines = JSONB(null=False, default=None, help_text="Objects with line, quantity and amount_minor.")
    transaction = UUID(
        null=True, default=None, help_text="The ledger transaction; none where nothing was paid."
    )
    reason = Text(null=False, default=None)
    actor = Text(null=False, default=None)
    at = Timestamptz(null=False, default=None)

    fulfilment_refund_once = Unique(["order_id", "key"])
    fulfilment_refund_amount = Check("amount_minor >= 0")


class DeliveredTextTable(Table, tablename="fulfilment_delivered_text"):
    """What the staff or a supplier delivered for a line: codes and messages, sealed."""

    id = UUID(primary_key=True, default=None)
    line = ForeignKey(
        OrderLineTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    sealed = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    actor = Text(null=False, default=None)
    at = Timestamptz(null=False, default=None)


class TicketTable(Table, tablename="fulfilment_ticket"):
    """A buyer's complaint about a card, and how it ended. A card is replaced once at most."""

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(
        OrderTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    line = ForeignKey(
        OrderLineTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    card = Text(null=False, default=None, help_text="The stock's own name of the card.")
    member = UUID(null=False, default=None)
    state = Varchar(length=10, null=False, default=None)
    sealed_evidence = Bytea(null=False, default=None, help_text="What the buyer wrote; it may hold a secret.")
    data_key = UUID(null=False, default=None)
    answer = Text(null=False, default="")
    opened_at = Timestamptz(null=False, default=None)
    closed_at = Timestamptz(null=True, default=None)
    closed_by = Text(null=False, default="")

    fulfilment_ticket_state = Check("state in ('OPEN', 'REPLACED', 'REFUNDED', 'REJECTED', 'WITHDRAWN')")
    fulfilment_ticket_closed = Check("(state = 'OPEN') = (closed_at is null)")


TABLES = [PaymentTable, RefundTable, DeliveredTextTable, TicketTable]

INDEXES = (
    Index(
        "fulfilment_ticket_open",
        "create unique index fulfilment_ticket_open on fulfilment_ticket (card) where state = 'OPEN'",
    ),
    Index(
        "fulfilment_ticket_settled",
        "create unique index fulfilment_ticket_settled on fulfilment_ticket (card)"
        " where state in ('REPLACED', 'REFUNDED')",
    ),
    Index(
        "fulfilment_ticket_by_card",
        "create index fulfilment_ticket_by_card on fulfilment_ticket (card)",
    ),
    Index(
        "fulfilment_ticket_by_state",
        "create index fulfilment_ticket_by_state on fulfilment_ticket (state, id)",
    ),
    Index(
        "fulfilment_ticket_by_member",
        "create index fulfilment_ticket_by_member on fulfilment_ticket (member, id desc)",
    ),
)
