"""The SQL of card imports."""

from kameng.db import Statement

VARIANTS = Statement(
    "catalog.card_import_variants",
    "select id, sku, stock_kind from catalog_variant where sku = any($1::text[])",
)

TODAY = Statement("catalog.today", "select (now() at time zone $1)::date")

CARD_COLUMNS = ("variant", "batch", "number", "sealed", "data_key", "blind_index", "expires_on")
"""The columns of a card, as they are copied."""

KNOWN = Statement(
    "catalog.known_cards",
    """
    select c.blind_index, b.created_at
    from catalog_card c join catalog_stock_batch b on b.id = c.batch
    where c.blind_index = any($1::bytea[])
    """,
)

ADD_BATCH = Statement(
    "catalog.add_stock_batch",
    """
    insert into catalog_stock_batch
        (id, source, file_name, card_count, created_by, created_at, cost_units, cost_currency)
    values ($1, $2, $3, 0, $4, now(), $5, $6)
    """,
)

COUNT_BATCH = Statement(
    "catalog.count_stock_batch", "update catalog_stock_batch set card_count = $2 where id = $1"
)

# In the order of the file, since the stock is sold first in, first out.
FREE_CARDS = Statement(
    "catalog.free_cards",
    """
    insert into catalog_free_card (card, variant, expires_on)
    select id, variant, expires_on from catalog_card where batch = $1 order by id
    """,
)

# Plans that were made for empty tables would read all of them for each card from now on.
ANALYZE = Statement("catalog.analyze_stock", "analyze catalog_card, catalog_free_card, catalog_sold_card")

ADD_MOVEMENTS = Statement(
    "catalog.add_import_movements",
    """
    insert into catalog_stock_movement (variant, kind, quantity, batch, at)
    select variant, 'import', count(*), $1, now() from catalog_card where batch = $1 group by variant
    """,
)
