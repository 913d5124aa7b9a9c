"""Suppliers: our accounts with them, what they offer, what was ordered there, and each word that was exchanged."""

from piccolo.columns import (
    UUID,
    BigInt,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    Real,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index
from kameng_fulfilment.tables import OrderLineTable


class SupplierConnectionTable(Table, tablename="fulfilment_supplier_connection"):
    """An account with a supplier. Its settings, secrets among them, are sealed.

    ``failures`` counts calls without an answer since the last one that was answered; until ``resting_until`` nothing new
    is ordered there.
    """

    id = UUID(primary_key=True, default=None)
    name = Text(null=False, default=None)
    protocol = Varchar(length=40, null=False, default=None)
    state = Varchar(length=10, null=False, default="enabled")
    sealed_settings = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    timeout_seconds = Real(null=False, default=15.0)
    concurrency = SmallInt(null=False, default=4)
    failures = Integer(null=False, default=0)
    resting_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    changed_at = Timestamptz(null=False, default=None)

    fulfilment_connection_name = Unique(["name"])
    fulfilment_connection_state = Check("state in ('enabled', 'disabled')")
    fulfilment_connection_timeout = Check("timeout_seconds between 1 and 60")
    fulfilment_connection_concurrency = Check("concurrency between 1 and 100")


class SupplierOfferTable(Table, tablename="fulfilment_supplier_offer"):
    """That a supplier delivers a variant, under a number of its own, for so much a piece.

    Offers of a variant are tried by ``priority``, then by cost. ``codes`` tells that each piece is a code; otherwise
    nothing but a message comes back. ``below_cost`` lets it be ordered for more than the buyer paid.
    """

    id = UUID(primary_key=True, default=None)
    variant = UUID(null=False, default=None)
    connection = ForeignKey(
        SupplierConnectionTable,
        null=False,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    their_sku = Text(null=False, default=None)
    cost = BigInt(null=False, default=None, help_text="Ten-thousandths of the currency's main unit.")
    currency = Varchar(length=3, null=False, default=None)
    priority = SmallInt(null=False, default=100)
    enabled = Boolean(null=False, default=True)
    codes = Boolean(null=False, default=True)
    below_cost = Boolean(null=False, default=False)
    changed_at = Timestamptz(null=False, default=None)

    fulfilment_offer_once = Unique(["variant", "connection", "their_sku"])
    # A cost that is missing is no cost of nothing.
    fulfilment_offer_cost = Check("cost > 0")


class SupplierPlanTable(Table, tablename="fulfilment_supplier_plan"):
    """How far a line's search for a supplier has come: which round, and before when there is no use in looking again."""

    line = ForeignKey(
        OrderLineTable,
        primary_key=True,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    round = SmallInt(null=False, default=1)
    began_at = Timestamptz(null=False, default=None, help_text="When this round began.")
    next_at = Timestamptz(null=False, default=None)


class SupplierOrderTable(Table, tablename="fulfilment_supplier_order"):
    """An order at a supplier, for all that a line was owed then. At most one of a line is open at a time.

    It is written down before anybody is called. ``busy_until`` is the lease of the worker that is at it, ``next_at`` when
    it is its turn again. ``attention`` names why a person has to look at it. What came back and could not be handed to
    the buyer lies in ``sealed``.
    """

    id = UUID(primary_key=True, default=None)
    line = ForeignKey(
        OrderLineTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    attempt = SmallInt(null=False, default=None)
    round = SmallInt(null=False, default=None)
    connection = ForeignKey(
        SupplierConnectionTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    offer = ForeignKey(
        SupplierOfferTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    reference = Varchar(length=40, null=False, default=None, unique=True)
    their_sku = Text(null=False, default=None)
    their_reference = Text(null=True, default=None)
    quantity = Integer(null=False, default=None)
    cost = BigInt(
        null=False, default=None, help_text="What a piece was expected to cost, in ten-thousandths."
    )
    currency = Varchar(length=3, null=False, default=None)
    charged_minor = BigInt(
        null=True, default=None, help_text="What the supplier says it took; null: unknown."
    )
    codes = Boolean(null=False, default=None)
    state = Varchar(length=10, null=False, default="PREPARED")
    sends = SmallInt(null=False, default=0)
    asks = SmallInt(null=False, default=0)
    next_at = Timestamptz(null=False, default=None)
    busy_until = Timestamptz(null=True, default=None)
    attention = Varchar(length=12, null=False, default="")
    note = Text(null=False, default="", help_text="The last that is known of it, for people.")
    sealed = Bytea(null=True, default=None)
    data_key = UUID(null=True, default=None)
    created_at = Timestamptz(null=False, default=None)
    sent_at = Timestamptz(null=True, default=None)
    settled_at = Timestamptz(null=True, default=None)

    fulfilment_supplier_order_attempt = Unique(["line", "attempt"])
    fulfilment_supplier_order_quantity = Check("quantity > 0")
    fulfilment_supplier_order_state = Check(
        "state in ('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN', 'DELIVERED', 'REJECTED', 'FAILED')"
    )
    fulfilment_supplier_order_attention = Check(
        "attention in ('', 'SLOW', 'UNKNOWN', 'INCOMPLETE', 'LATE', 'COST', 'CONTRADICTS')"
    )
    fulfilment_supplier_order_settled = Check(
        "(state in ('DELIVERED', 'REJECTED', 'FAILED')) = (settled_at is not null)"
    )
    fulfilment_supplier_order_sent = Check("state in ('PREPARED', 'FAILED') or sent_at is not null")


class SupplierAttemptTable(Table, tablename="fulfilment_supplier_attempt"):
    """One exchange about an order at a supplier, or what a person did to it; rows are added and never changed."""

    id = UUID(primary_key=True, default=None)
    supplier_order = ForeignKey(
        SupplierOrderTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    at = Timestamptz(null=False, default=None)
    kind = Varchar(length=10, null=False, default=None)
    outcome = Varchar(length=20, null=False, default=None)
    milliseconds = Integer(null=True, default=None)
    note = Text(null=False, default="", help_text="A few words, without codes and secrets.")
    actor = Text(null=False, default=None)

    fulfilment_supplier_attempt_kind = Check("kind in ('plan', 'send', 'ask', 'callback', 'person')")


TABLES = [
    SupplierConnectionTable,
    SupplierOfferTable,
    SupplierPlanTable,
    SupplierOrderTable,
    SupplierAttemptTable,
]

INDEXES = (
    Index(
        "fulfilment_supplier_order_open",
        """create unique index fulfilment_supplier_order_open on fulfilment_supplier_order (line)
           where state in ('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN')""",
    ),
    Index(
        "fulfilment_supplier_order_due",
        """create index fulfilment_supplier_order_due on fulfilment_supplier_order (connection, next_at)
           where state in ('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN')""",
    ),
    Index(
        "fulfilment_supplier_order_busy",
        """create index fulfilment_supplier_order_busy on fulfilment_supplier_order (connection, busy_until)
           where busy_until is not null""",
    ),
    Index(
        "fulfilment_supplier_order_attention",
        "create index fulfilment_supplier_order_attention on fulfilment_supplier_order (id) where attention <> ''",
    ),
    Index(
        "fulfilment_supplier_order_waiting",
        """create index fulfilment_supplier_order_waiting on fulfilment_supplier_order (created_at)
           where state in ('SENT', 'ACCEPTED', 'UNKNOWN') and attention = ''""",
    ),
    Index(
        "fulfilment_supplier_order_their_reference",
        """create index fulfilment_supplier_order_their_reference on fulfilment_supplier_order (their_reference)
           where their_reference is not null""",
    ),
    Index(
        "fulfilment_supplier_order_by_connection",
        "create index fulfilment_supplier_order_by_connection on fulfilment_supplier_order (connection, id)",
    ),
    Index(
        "fulfilment_supplier_attempt_by_order",
        "create index fulfilment_supplier_attempt_by_order on fulfilment_supplier_attempt (supplier_order, id)",
    ),
    Index(
        "fulfilment_supplier_attempt_append_only",
        """create function fulfilment_supplier_attempt_append_only() returns trigger language plpgsql as $$
           begin raise exception 'what was exchanged with suppliers is never changed'; end $$;
           create trigger fulfilment_supplier_attempt_append_only before update or delete or truncate
           on fulfilment_supplier_attempt for each statement
           execute function fulfilment_supplier_attempt_append_only()""",
        """drop trigger if exists fulfilment_supplier_attempt_append_only on fulfilment_supplier_attempt;
           drop function if exists fulfilment_supplier_attempt_append_only()""",
    ),
    Index(
        "fulfilment_line_supplied",
        """create index fulfilment_line_supplied on fulfilment_order_line (due_at, id)
           where due_at is not null and delivery = 'supplier'
               and delivery_state in ('PENDING', 'DELIVERING', 'PARTLY_DELIVERED')""",
    ),
)
