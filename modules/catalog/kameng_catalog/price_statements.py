"""The SQL that changes prices; `pricing` holds what reads them."""

from kameng.db import Statement

PUT_PRICES = Statement(
    "catalog.put_prices",
    """
    insert into catalog_price (id, variant, tier, min_quantity, currency, units, updated_at)
    select id, variant, tier, min_quantity, currency, units, now()
    from jsonb_to_recordset($1::jsonb) as r (
        id uuid, variant uuid, tier text, min_quantity int, currency text, units bigint
    )
    on conflict (variant, currency, tier, min_quantity)
    do update set units = excluded.units, updated_at = excluded.updated_at
    """,
)

REMOVE_PRICE = Statement(
    "catalog.remove_price",
    """
    delete from catalog_price where variant = $1 and currency = $2 and tier = $3 and min_quantity = $4
    returning units
    """,
)
