"""Orders, their lines and their history. What became of them after they were placed is in `after_tables`."""

from piccolo.columns import (
    UUID,
    BigInt,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import JSONB
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class OrderTable(Table, tablename="fulfilment_order"):
    """An order of a buyer.

    ``member`` is the buyer: a member's key, or for a guest a UUID of its own, which ``buyer_kind`` tells. ``payment``
    tells how it was to be paid; ``received_minor`` counts what came in from outside for it, wherever that is now.
    ``reserved_until`` tells until when stock was kept for such a payment. ``held`` keeps back what is not delivered
    yet, until somebody lets it go.

    ``idempotency_key`` is the buyer's own; together with the buyer it makes an order unique for ever, so that a request that is
    sent twice is carried out once. ``fingerprint`` tells whether a repeated request asks for the same.
    """

    id = UUID(primary_key=True, default=None)
    number = Varchar(length=16, unique=True, null=False, default=None)
    member = UUID(null=False, default=None)
    idempotency_key = Varchar(length=128, null=False, default=None)
    fingerprint = Bytea(null=False, default=None)
    state = Varchar(length=20, null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    total_minor = BigInt(null=False, default=None)
    charge = UUID(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    paid_at = Timestamptz(null=True, default=None)
    completed_at = Timestamptz(null=True, default=None)
    buyer_kind = Varchar(length=10, null=False, default="member")
    payment = Varchar(length=10, null=False, default="WALLET")
    received_minor = BigInt(null=False, default=0)
    refunded_minor = BigInt(null=False, default=0)
    reserved_until = Timestamptz(null=True, default=None)
    held = Boolean(null=False, default=False)
    site = Varchar(
        length=64,
        null=False,
        default="",
        help_text="The shop that it was placed in; empty: the operator's own.",
    )

    fulfilment_order_once = Unique(["member", "idempotency_key"])
    fulfilment_order_total = Check("total_minor >= 0")
    fulfilment_order_buyer_kind = Check("buyer_kind in ('member', 'guest')")
    fulfilment_order_payment = Check("payment in ('WALLET', 'OUTSIDE')")
    fulfilment_order_received = Check("received_minor >= 0")
    fulfilment_order_refunded = Check("refunded_minor between 0 and total_minor")
    fulfilment_order_reserved = Check("state <> 'PENDING_PAYMENT' or reserved_until is not null")
    fulfilment_order_state = Check(
        "state in ('PENDING_PAYMENT', 'PAID', 'DELIVERING', 'PARTLY_DELIVERED', 'COMPLETED', "
        "'REVIEW', 'EXPIRED', 'CANCELLED', 'REFUNDED')"
    )


class OrderLineTable(Table, tablename="fulfilment_order_line"):
    """A line: one variant, as it was when it was bought. Cards of the vault point to it.

    Of ``quantity`` pieces ``delivered_quantity`` were delivered and ``withdrawn_quantity`` taken back before that; the
    rest waits, since ``due_at`` if it is paid. ``refunded_quantity`` counts pieces that were refunded, withdrawn ones
    included.
    """

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(
        OrderTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    position = SmallInt(null=False, default=None)
    variant = UUID(null=False, default=None)
    product = UUID(null=False, default=None)
    sku = Varchar(length=64, null=False, default=None)
    titles = JSONB(null=False, default=None)
    quantity = Integer(null=False, default=None)
    unit_price = BigInt(null=False, default=None, help_text="Ten-thousandths of the currency's main unit.")
    unit_cost = BigInt(null=True, default=None, help_text="Ten-thousandths of the currency's main unit.")
    total_minor = BigInt(null=False, default=None)
    answers = JSONB(
        null=True, default=None, help_text="What the buyer filled in: objects with name, labels and value."
    )
    delivery_state = Varchar(length=20, null=False, default=None)
    delivery = Varchar(length=10, null=False, default="instant")
    delivered_quantity = Integer(null=False, default=0)
    withdrawn_quantity = Integer(null=False, default=0)
    refunded_quantity = Integer(null=False, default=0)
    refunded_minor = BigInt(null=False, default=0)
    due_at = Timestamptz(
        null=True, default=None, help_text="Since when something of it is owed to the buyer."
    )
    failure = Text(null=False, default="", help_text="Why it could not be delivered, for people.")
    failed_at = Timestamptz(null=True, default=None)

    fulfilment_line_position = Unique(["order_id", "position"])
    fulfilment_line_quantity = Check("quantity > 0")
    fulfilment_line_total = Check("total_minor >= 0")
    fulfilment_line_state = Check(
        "delivery_state in ('PENDING', 'DELIVERING', 'DELIVERED', 'PARTLY_DELIVERED', 'FAILED', 'REFUNDED')"
    )
    fulfilment_line_kind = Check("delivery in ('instant', 'manual', 'supplier')")
    fulfilment_line_counted = Check(
        "delivered_quantity >= 0 and withdrawn_quantity >= 0 and delivered_quantity + withdrawn_quantity <= quantity"
    )
    fulfilment_line_refunded = Check(
        "refunded_quantity between withdrawn_quantity and quantity and refunded_minor between 0 and total_minor"
    )
    fulfilment_line_failed = Check("(delivery_state = 'FAILED') = (failed_at is not null)")
    fulfilment_line_due = Check("due_at is null or delivered_quantity + withdrawn_quantity < quantity")


class OrderHistoryTable(Table, tablename="fulfilment_order_history"):
    """What happened to an order, in order; rows are added and never changed."""

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(
        OrderTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    at = Timestamptz(null=False, default=None)
    from_state = Varchar(length=20, null=True, default=None)
    to_state = Varchar(length=20, null=False, default=None)
    actor = Text(null=False, default=None, help_text="The principal's key, such as member:0189…, or system.")
    note = Text(null=False, default="")
    kind = Varchar(length=12, null=False, default="state")
    line = UUID(null=True, default=None, help_text="The line that it is about, if it is about one.")
    amount_minor = BigInt(null=True, default=None)

    fulfilment_history_kind = Check(
        "kind in ('state', 'note', 'payment', 'refund', 'hold', 'release', 'delivery', 'failure', 'ticket', "
        "'claim')"
    )


TABLES = [
    OrderTable,
    OrderLineTable,
    OrderHistoryTable,
]

INDEXES = (
    Index(
        "fulfilment_order_by_member",
        "create index fulfilment_order_by_member on fulfilment_order (member, id desc)",
    ),
    Index(
        "fulfilment_order_unfinished",
        """create index fulfilment_order_unfinished on fulfilment_order (state, id)
           where state not in ('COMPLETED', 'CANCELLED', 'EXPIRED', 'REFUNDED')""",
    ),
    Index(
        "fulfilment_history_by_order",
        "create index fulfilment_history_by_order on fulfilment_order_history (order_id, id)",
    ),
    Index(
        "fulfilment_history_append_only",
        """create function fulfilment_history_append_only() returns trigger language plpgsql as $$
           begin raise exception 'the history of orders is never changed'; end $$;
           create trigger fulfilment_history_append_only before update or delete or truncate
           on fulfilment_order_history for each statement execute function fulfilment_history_append_only()""",
        """drop trigger if exists fulfilment_history_append_only on fulfilment_order_history;
           drop function if exists fulfilment_history_append_only()""",
    ),
    Index(
        "fulfilment_order_expiring",
        """create index fulfilment_order_expiring on fulfilment_order (reserved_until, id)
           where state = 'PENDING_PAYMENT'""",
    ),
    Index(
        "fulfilment_order_unpaid",
        "create index fulfilment_order_unpaid on fulfilment_order (member, id) where state = 'PENDING_PAYMENT'",
    ),
    Index(
        "fulfilment_order_attention",
        """create index fulfilment_order_attention on fulfilment_order (id)
           where state in ('PAID', 'DELIVERING', 'PARTLY_DELIVERED', 'REVIEW')""",
    ),
    # Where the back office's filters would else walk through all orders; completed ones are in none of these.
    Index(
        "fulfilment_order_ended",
        """create index fulfilment_order_ended on fulfilment_order (state, id)
           where state in ('CANCELLED', 'EXPIRED', 'REFUNDED')""",
    ),
    Index(
        "fulfilment_order_by_site",
        "create index fulfilment_order_by_site on fulfilment_order (site, id) where site <> ''",
    ),
    Index(
        "fulfilment_line_by_variant",
        "create index fulfilment_line_by_variant on fulfilment_order_line (variant, order_id)",
    ),
    Index(
        "fulfilment_line_by_delivery",
        """create index fulfilment_line_by_delivery on fulfilment_order_line (delivery, order_id)
           where delivery <> 'instant'""",
    ),
    Index(
        "fulfilment_line_waiting",
        """create index fulfilment_line_waiting on fulfilment_order_line (variant, order_id)
           where due_at is not null and delivery = 'instant' and delivery_state in ('PENDING', 'PARTLY_DELIVERED')""",
    ),
    Index(
        "fulfilment_line_failing",
        """create index fulfilment_line_failing on fulfilment_order_line (failed_at, id)
           where delivery_state = 'FAILED'""",
    ),
)
