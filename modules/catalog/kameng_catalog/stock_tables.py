"""Tables of the stock: the cards of the vault, which of them are free, which were sold, and what moved when.

A card's own row is written once and never touched again. Whether it can be sold is told by a second, small
row: one in `FreeCard`, which a sale deletes, or one in `SoldCard`, which it inserts. So a sale writes no new
version of a wide row and no entry into the large index of duplicates, the table that churns is small enough
to be vacuumed at any time, and a card that was sold once cannot be sold again, since it is the key of
`SoldCard`. A card that is kept for an order line lies in `ReservedCard`, one that may not be sold for the time
being in `QuarantinedCard`; one that lies nowhere has expired, or its batch was recalled.

What is no cards is in `piece_tables`.
"""

from piccolo.columns import (
    UUID,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    Date,
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
from kameng_catalog.tables import Variant


class StockBatch(Table, tablename="catalog_stock_batch"):
    """Cards that came together: one import.

    ``unsettled`` tells that cards still lie where the state before left them; `batches` moves them. As long as a batch is
    ``arriving``, none of its cards lies anywhere, and it is shown nowhere: see `importing.arriving`.
    """

    id = UUID(primary_key=True, default=None)
    source = Text(null=False, default="")
    file_name = Text(null=False, default="")
    card_count = Integer(null=False, default=None)
    cost_units = BigInt(null=True, default=None)
    cost_currency = Text(null=True, default=None)
    state = Text(null=False, default="sellable")
    unsettled = Boolean(null=False, default=False)
    created_by = Text(null=False, default=None)
    created_at = Timestamptz(null=False)

    catalog_stock_batch_states = Check("state in ('arriving', 'sellable', 'quarantined', 'recalled')")
    catalog_stock_batch_cost_whole = Check(
        "(cost_units is null) = (cost_currency is null) and coalesce(cost_units, 0) >= 0"
    )


class Card(Table, tablename="catalog_card"):
    """A card: its secret, sealed, and how duplicates of it are found. Never updated."""

    id = BigSerial(primary_key=True)
    # No index: variants are archived, not deleted, and nothing lists a variant's cards but by batch.
    variant = ForeignKey(
        Variant,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    # The index (batch, id) serves it.
    batch = ForeignKey(
        StockBatch,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    number = Text(null=True, default=None)
    sealed = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    blind_index = Bytea(null=False, default=None, unique=True)
    expires_on = Date(null=True, default=None)

    catalog_card_indexed = Check("octet_length(blind_index) = 16")


class FreeCard(Table, tablename="catalog_free_card"):
    """A card that can be sold.

    It has no foreign keys, which would double the time of an import: `SoldCard` has one, so that what is sold
    exists.
    """

    card = BigInt(primary_key=True, default=None)
    variant = UUID(null=False, default=None)
    expires_on = Date(null=True, default=None)


class ReservedCard(Table, tablename="catalog_reserved_card"):
    """A card that is kept for an order line; `piece_tables.Reservation` tells how many the line should have."""

    card = BigInt(primary_key=True, default=None)
    line = UUID(null=False, default=None)
    variant = UUID(null=False, default=None)
    expires_on = Date(null=True, default=None)


class QuarantinedCard(Table, tablename="catalog_quarantined_card"):
    """A card that may not be sold for the time being."""

    card = BigInt(primary_key=True, default=None)
    variant = UUID(null=False, default=None)
    expires_on = Date(null=True, default=None)


class SoldCard(Table, tablename="catalog_sold_card"):
    """A card that was sold, and the order line it went to."""

    card = ForeignKey(
        Card,
        primary_key=True,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    line = UUID(null=False, default=None)
    sold_at = Timestamptz(null=False)


class StockMovement(Table, tablename="catalog_stock_movement"):
    """What came in or went out. Append-only: a trigger refuses everything else.

    The quantities of a variant add up to what can be sold of it: what is reserved went out, and comes back in the
    moment in which it is sold or released. ``reason`` and ``actor`` are there where a person moved it.

    The variant is no foreign key: its check would lock the row of a hot variant in every sale.
    """

    id = BigSerial(primary_key=True)
    variant = UUID(null=False, default=None)
    kind = Text(null=False, default=None)
    quantity = Integer(null=False, default=None)
    batch = UUID(null=True, default=None)
    line = UUID(null=True, default=None)
    at = Timestamptz(null=False)
    reason = Text(null=True, default=None)
    actor = Text(null=True, default=None)

    catalog_stock_movement_kinds = Check(
        "kind in ('import', 'sale', 'expiry', 'reserve', 'release', 'return', 'quarantine', 'readmit', 'recall', 'adjust')"
    )
    catalog_stock_movement_moves = Check("quantity <> 0")


INDEXES = (
    Index("catalog_card_batch", "create index catalog_card_batch on catalog_card (batch, id)"),
    Index(
        "catalog_free_card_pick", "create index catalog_free_card_pick on catalog_free_card (variant, card)"
    ),
    # Which cards of a variant expire first. Cards that never do stay out of it.
    Index(
        "catalog_free_card_expiring",
        "create index catalog_free_card_expiring on catalog_free_card (variant, expires_on, card)"
        " where expires_on is not null",
    ),
    Index(
        "catalog_reserved_card_line",
        "create index catalog_reserved_card_line on catalog_reserved_card (line, card)",
    ),
    Index(
        "catalog_stock_batch_unsettled",
        "create index catalog_stock_batch_unsettled on catalog_stock_batch (id) where unsettled",
    ),
    Index(
        "catalog_stock_batch_arriving",
        "create index catalog_stock_batch_arriving on catalog_stock_batch (id) where state = 'arriving'",
    ),
    Index("catalog_sold_card_line", "create index catalog_sold_card_line on catalog_sold_card (line, card)"),
    Index(
        "catalog_stock_movement_variant",
        "create index catalog_stock_movement_variant on catalog_stock_movement (variant, id)",
    ),
    # Rows come in the order of time, so a summary of block ranges finds the last month among all.
    Index(
        "catalog_stock_movement_time",
        "create index catalog_stock_movement_time on catalog_stock_movement using brin (at)",
    ),
    # Each sale leaves a dead entry at the very place where the next pick starts reading.
    Index(
        "catalog_free_card_vacuum",
        "alter table catalog_free_card set (autovacuum_vacuum_scale_factor = 0.01,"
        " autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,"
        " autovacuum_analyze_scale_factor = 0.05, vacuum_index_cleanup = on)",
        "alter table catalog_free_card reset (autovacuum_vacuum_scale_factor,"
        " autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay,"
        " autovacuum_analyze_scale_factor, vacuum_index_cleanup)",
    ),
    Index(
        "catalog_refuse_change",
        "create function catalog_refuse_change() returns trigger language plpgsql as $$ begin"
        " raise exception '% is append-only', tg_table_name; end $$",
        "drop function if exists catalog_refuse_change()",
    ),
    Index(
        "catalog_stock_movement_append_only",
        "create trigger catalog_stock_movement_append_only before update or delete or truncate"
        " on catalog_stock_movement for each statement execute function catalog_refuse_change()",
        "drop trigger if exists catalog_stock_movement_append_only on catalog_stock_movement",
    ),
)
"""Where picks and listings read, and what keeps the stock in order."""
