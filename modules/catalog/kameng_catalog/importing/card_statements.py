"""The SQL of card imports: cards arrive in a table of their own and enter the vault together."""

from kameng.db import Statement

VARIANTS = Statement(
    "catalog.card_import_variants",
    "select id, sku, stock_kind from catalog_variant where sku = any($1::text[])",
)

TODAY = Statement("catalog.today", "select (now() at time zone $1)::date")

ARRIVING = (
    "arrival", "line", "variant", "number", "sealed", "data_key", "blind_index", "expires_on", "arrived_at"
)  # fmt: skip
"""The columns of an arriving card, as they are copied."""

# Of equal cards the first stays. The count tells of all, the rows only of as many as a report lists.
DOUBLE_IN_FILE = Statement(
    "catalog.drop_doubles_in_file",
    """
    with numbered as (
        select id, row_number() over same as place, first_value(line) over same as first_line
        from catalog_arriving_card where arrival = $1
        window same as (partition by blind_index order by id)
    ),
    gone as (
        delete from catalog_arriving_card a using numbered n
        where a.id = n.id and n.place > 1
        returning a.line, n.first_line
    )
    select line, first_line, count(*) over () as total from gone order by line limit $2
    """,
)

KNOWN_IN_VAULT = Statement(
    "catalog.drop_known_cards",
    """
    with gone as (
        delete from catalog_arriving_card a using catalog_card c
        where a.arrival = $1 and c.blind_index = a.blind_index
        returning a.line, c.batch
    )
    select gone.line, b.created_at, count(*) over () as total
    from gone join catalog_stock_batch b on b.id = gone.batch
    order by gone.line limit $2
    """,
)

COUNTS = Statement(
    "catalog.count_arrived",
    """
    select v.sku, count(*) as cards
    from catalog_arriving_card a join catalog_variant v on v.id = a.variant
    where a.arrival = $1 group by v.sku order by v.sku
    """,
)

ADD_BATCH = Statement(
    "catalog.add_stock_batch",
    """
    insert into catalog_stock_batch (id, source, file_name, card_count, created_by, created_at)
    values ($1, $2, $3, $4, $5, now())
    """,
)

# In the order of the file, since the stock is sold first in, first out.
ADD_CARDS = Statement(
    "catalog.add_cards",
    """
    insert into catalog_card (variant, batch, number, sealed, data_key, blind_index, expires_on)
    select variant, arrival, number, sealed, data_key, blind_index, expires_on
    from catalog_arriving_card where arrival = $1 order by id
    """,
)

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
    select variant, 'import', count(*), $1, now() from catalog_card where batch = $1 group by variant
    """,
)

FORGET = Statement("catalog.forget_arrival", "delete from catalog_arriving_card where arrival = $1")

FORGET_OLD = Statement(
    "catalog.forget_old_arrivals",
    "delete from catalog_arriving_card where arrived_at < now() - interval '1 day'",
)
