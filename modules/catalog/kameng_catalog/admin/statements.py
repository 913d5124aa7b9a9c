"""The back office's SQL: products, variants, prices and stock, whatever their status."""

from kameng.db import Statement

PRODUCT_COLUMNS = """
    p.id, p.slug, p.category, p.titles, p.descriptions, p.tags, p.status, p.position, p.popularity,
    p.created_at, p.updated_at, p.form, p.publish_at, p.unpublish_at, p.attributes, p.seo, p.public_metadata,
    p.private_metadata
"""

VARIANT_COLUMNS = """
    v.id, v.product, v.sku, v.titles, v.stock_kind, v.face_minor, v.face_currency, v.cost_units,
    v.cost_currency, v.below_cost, v.min_quantity, v.max_quantity, v.position, v.status
"""

BATCH_COLUMNS = """
    b.id, b.source, b.file_name, b.card_count, b.created_by, b.created_at, b.state, b.unsettled, b.cost_units,
    b.cost_currency
"""

CARD_COLUMNS = """
    c.id, c.variant, c.number, c.expires_on, sold.line, sold.sold_at, bad.reason as bad_reason,
    case
        when sold.card is not null then 'sold'
        when free.card is not null then 'free'
        when reserved.card is not null then 'reserved'
        when quarantined.card is not null then 'quarantined'
        when batch.state = 'recalled' then 'recalled'
        else 'expired'
    end as state
"""

CARD_TABLES = """
    catalog_card c
    left join catalog_sold_card sold on sold.card = c.id
    left join catalog_free_card free on free.card = c.id
    left join catalog_reserved_card reserved on reserved.card = c.id
    left join catalog_quarantined_card quarantined on quarantined.card = c.id
    left join catalog_bad_card bad on bad.card = c.id
    join catalog_stock_batch batch on batch.id = c.batch
"""

PRODUCTS = Statement(
    "catalog.managed_products",
    f"select {PRODUCT_COLUMNS} from catalog_product p where p.id = any($1::uuid[])",
)

PRODUCT_BY_SLUG = Statement(
    "catalog.managed_product_by_slug", f"select {PRODUCT_COLUMNS} from catalog_product p where p.slug = $1"
)

VARIANTS = Statement(
    "catalog.managed_variants",
    f"select {VARIANT_COLUMNS} from catalog_variant v where v.id = any($1::uuid[])",
)

VARIANT_BY_SKU = Statement(
    "catalog.managed_variant_by_sku", f"select {VARIANT_COLUMNS} from catalog_variant v where v.sku = $1"
)

VARIANTS_OF_PRODUCTS = Statement(
    "catalog.managed_variants_of_products",
    f"""
    select {VARIANT_COLUMNS} from catalog_variant v where v.product = any($1::uuid[])
    order by v.product, v.position, v.id
    """,
)

PRICES = Statement(
    "catalog.managed_prices",
    """
    select * from (
        select variant, tier, min_quantity, currency, units, updated_at, '' as site, null::timestamptz as starts_at,
            null::timestamptz as ends_at
        from catalog_price where variant = any($1::uuid[])
        union all
        select variant, tier, min_quantity, currency, units, updated_at, site, starts_at, ends_at
        from catalog_special_price where variant = any($1::uuid[])
    ) every
    order by variant, site, tier <> 'retail', tier, currency, starts_at nulls first, min_quantity
    """,
)

BATCHES = Statement(
    "catalog.stock_batches",
    f"select {BATCH_COLUMNS} from catalog_stock_batch b where b.id = any($1::uuid[]) and b.state <> 'arriving'",
)

CARDS = Statement(
    "catalog.managed_cards",
    f"select {CARD_COLUMNS} from {CARD_TABLES} where c.id = any($1::bigint[]) and batch.state <> 'arriving'",
)

SEALED_CARDS = Statement(
    "catalog.sealed_cards",
    """
    select c.id, c.variant, c.sealed, c.data_key, c.blind_index
    from catalog_card c join catalog_stock_batch b on b.id = c.batch and b.state <> 'arriving'
    where c.id = any($1::bigint[]) order by c.id
    """,
)
