"""Tables of the stock that is no cards: counters, secrets that are sold many times, and what lines got or are promised of
them; also reservations of every kind, and what turned out to be bad.

A counter is one row for each variant. Whoever sells from it locks it first, and several at once in the order of their keys.
"""

from piccolo.columns import (
    UUID,
    BigSerial,
    Bytea,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    Text,
    Timestamptz,
)
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_catalog.stock_tables import Card
from kameng_catalog.tables import Variant


class ReusableSecret(Table, tablename="catalog_reusable_secret"):
    """A secret that is sold many times, sealed. A new one is a new row, since buyers keep what they bought."""

    id = UUID(primary_key=True, default=None)
    variant = ForeignKey(
        Variant,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    number = Text(null=True, default=None)
    sealed = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    blind_index = Bytea(null=False, default=None)
    created_by = Text(null=False, default=None)
    created_at = Timestamptz(null=False)

    catalog_reusable_secret_indexed = Check("octet_length(blind_index) = 16")


class StockCounter(Table, tablename="catalog_stock_counter"):
    """How many can be sold of a variant of the kinds ``quota`` and ``reusable``, or what a supplier said that he has."""

    variant = ForeignKey(
        Variant,
        primary_key=True,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    on_hand = Integer(null=False, default=0)
    # The secret that sales hand over now.
    secret = ForeignKey(
        ReusableSecret,
        null=True,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    updated_at = Timestamptz(null=False)

    catalog_stock_counter_not_negative = Check("on_hand >= 0")


class SoldPiece(Table, tablename="catalog_sold_piece"):
    """Pieces that are no cards and were sold to an order line."""

    id = BigSerial(primary_key=True)
    line = UUID(null=False, default=None)
    # No foreign key: its check would lock the row of a hot variant in every sale.
    variant = UUID(null=False, default=None)
    kind = Text(null=False, default=None)
    quantity = Integer(null=False, default=None)
    returned = Integer(null=False, default=0)
    # No index: nothing looks for the sales of a secret.
    secret = ForeignKey(
        ReusableSecret,
        null=True,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    sold_at = Timestamptz(null=False)

    catalog_sold_piece_kind_known = Check("kind in ('reusable', 'quota', 'unlimited', 'supplier')")
    catalog_sold_piece_secret = Check("(kind = 'reusable') = (secret is not null)")
    catalog_sold_piece_quantities = Check("quantity > 0 and returned between 0 and quantity")


class Reservation(Table, tablename="catalog_reservation"):
    """What is kept for an order line, whatever its kind; the cards themselves are in `stock_tables.ReservedCard`."""

    line = UUID(primary_key=True, default=None)
    variant = UUID(null=False, default=None)
    kind = Text(null=False, default=None)
    quantity = Integer(null=False, default=None)
    until = Timestamptz(null=False)
    created_at = Timestamptz(null=False)

    catalog_reservation_kind_known = Check("kind in ('card', 'reusable', 'quota', 'unlimited', 'supplier')")
    catalog_reservation_quantity = Check("quantity > 0")


class BadCard(Table, tablename="catalog_bad_card"):
    """A secret that an order line got and that turned out to be bad: a card, or the use of a reusable secret."""

    id = BigSerial(primary_key=True)
    card = ForeignKey(
        Card,
        null=True,
        default=None,
        unique=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    piece = ForeignKey(
        SoldPiece,
        null=True,
        default=None,
        unique=True,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    line = UUID(null=False, default=None)
    reason = Text(null=False, default=None)
    actor = Text(null=False, default=None)
    at = Timestamptz(null=False)

    catalog_bad_card_one = Check("num_nonnulls(card, piece) = 1")


class StockAlert(Table, tablename="catalog_stock_alert"):
    """A variant's stock fell below its threshold, once for each time that it did."""

    id = UUID(primary_key=True, default=None)
    # The unique index on open alerts serves most; the list of a variant's alerts reads the other one.
    variant = ForeignKey(
        Variant,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    threshold = Integer(null=False, default=None)
    available = Integer(null=False, default=None)
    raised_at = Timestamptz(null=False)
    acknowledged_at = Timestamptz(null=True, default=None)
    acknowledged_by = Text(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)

    catalog_stock_alert_acknowledged = Check("(acknowledged_at is null) = (acknowledged_by is null)")


INDEXES = (
    Index(
        "catalog_sold_piece_line",
        "create index catalog_sold_piece_line on catalog_sold_piece (line, id)",
    ),
    Index(
        "catalog_reservation_until",
        "create index catalog_reservation_until on catalog_reservation (until)",
    ),
    Index(
        "catalog_bad_card_line",
        "create index catalog_bad_card_line on catalog_bad_card (line)",
    ),
    Index(
        "catalog_stock_alert_open",
        "create unique index catalog_stock_alert_open on catalog_stock_alert (variant) where ended_at is null",
    ),
)
"""Where sales, checks and the back office read."""
