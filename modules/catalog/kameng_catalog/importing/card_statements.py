"""The SQL of card imports."""

from kameng.db import Statement

VARIANTS = Statement(
    "catalog.card_import_variants",
    "select id, sku, stock_kind from catalog_variant where sku = any($1::text[])",
)

TODAY = Statement("catalog.today", "select (now() at time zone $1)::date")

KNOWN = Statement(
    "catalog.known_cards",
    """
    select c.blind_index, c.batch, b.created_at
    from catalog_card c join catalog_stock_batch b on b.id = c.batch
    where c.blind_index = any($1::bytea[])
    """,
)

ADD_BATCH = Statement(
    "catalog.add_stock_batch",
    """
    insert into catalog_stock_batch
        (id, source, file_name, card_count, state, created_by, created_at, cost_units, cost_currency)
    values ($1, $2, $3, 0, 'arriving', $4, now(), $5, $6)
    on conflict (id) do nothing
    """,
)
"""A batch whose cards nobody sees until the last of them is there; an import that begins again finds it."""

ARRIVED = Statement(
    "catalog.batch_arrived",
    """
    update catalog_stock_batch set card_count = $2, state = 'sellable' where id = $1 and state = 'arriving'
    returning id
    """,
)

# In the order of the file, since the stock is sold first in, first out.
FREE_CARDS = Statement(
    "catalog.free_cards",
    """
    insert into catalog_free_card (card, variant, expires_on)
    select id, variant, expires_on from catalog_card where batch = $1 order by id
    """,
)

ADD_MOVEMENTS = Statement(
    "catalog.add_import_movements",
    """
    insert into catalog_stock_movement (variant, kind, quantity, batch, at)
    select variant, 'import', quantity, $1, now() from unnest($2::uuid[], $3::int[]) as m (variant, quantity)
    """,
)

# Plans that were made for empty tables would read all of them for each card from now on. What is sealed is of no use to plans.
ANALYZE = Statement(
    "catalog.analyze_stock",
    "analyze catalog_card (id, variant, batch, blind_index, expires_on), catalog_free_card, catalog_sold_card",
)

ARRIVING = Statement(
    "catalog.arriving_batches", "select id from catalog_stock_batch where state = 'arriving' order by id"
)

LOCK_ARRIVING = Statement(
    "catalog.lock_arriving_batch",
    "select id from catalog_stock_batch where id = $1 and state = 'arriving' for update",
)

TAKE_BACK = Statement(
    "catalog.take_arriving_cards_back",
    """
    delete from catalog_card where id = any(array(
        select id from catalog_card where batch = $1 order by id limit $2
    ))
    """,
)

DROP_BATCH = Statement("catalog.drop_arriving_batch", "delete from catalog_stock_batch where id = $1")
