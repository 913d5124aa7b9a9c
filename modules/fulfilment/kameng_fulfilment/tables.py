"""Orders, their lines and their history."""

from piccolo.columns import UUID, BigInt, Bytea, ForeignKey, Integer, SmallInt, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import JSONB
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class OrderTable(Table, tablename="fulfilment_order"):
    """An order of a member.

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

    fulfilment_order_once = Unique(["member", "idempotency_key"])
    fulfilment_order_total = Check("total_minor >= 0")
    fulfilment_order_state = Check(
        "state in ('PENDING_PAYMENT', 'PAID', 'DELIVERING', 'PARTLY_DELIVERED', 'COMPLETED', "
        "'REVIEW', 'EXPIRED', 'CANCELLED', 'REFUNDED')"
    )


class OrderLineTable(Table, tablename="fulfilment_order_line"):
    """A line: one variant, as it was when it was bought. Cards of the vault point to it."""

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

    fulfilment_line_position = Unique(["order_id", "position"])
    fulfilment_line_quantity = Check("quantity > 0")
    fulfilment_line_total = Check("total_minor >= 0")
    fulfilment_line_delivery = Check("delivery_state in ('PENDING', 'DELIVERED', 'FAILED')")


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


TABLES = [OrderTable, OrderLineTable, OrderHistoryTable]

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
)
