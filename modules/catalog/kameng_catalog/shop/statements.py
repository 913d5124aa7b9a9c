"""The shop's SQL: lists and look-ups of what is published."""

from kameng.db import Statement
from kameng_catalog.texts import text_sql

PRODUCT_COLUMNS = f"""
    p.id, p.slug, p.category, p.tags, p.position, p.popularity, p.created_at,
    {text_sql("p.titles", "$1::text")} as title, {text_sql("p.descriptions", "$1::text")} as description
"""
"""What a product of the shop is made of; ``$1`` is the locale."""

PRODUCTS_BY_KEY = Statement(
    "catalog.shop_products_by_key",
    f"""
    select {PRODUCT_COLUMNS} from catalog_product p where p.status = 'published' and p.id = any($2::uuid[])
    """,
)

PRODUCTS_BY_SLUG = Statement(
    "catalog.shop_products_by_slug",
    f"""
    select {PRODUCT_COLUMNS} from catalog_product p where p.status = 'published' and p.slug = any($2::text[])
    """,
)

_VARIANT_COLUMNS = f"""
    v.id, v.product, v.sku, v.face_minor, v.face_currency, v.min_quantity, v.max_quantity,
    {text_sql("v.titles", "$1::text")} as title
"""

VARIANTS_BY_KEY = Statement(
    "catalog.shop_variants_by_key",
    f"""
    select {_VARIANT_COLUMNS}
    from catalog_variant v join catalog_product p on p.id = v.product
    where v.status = 'published' and p.status = 'published' and v.id = any($2::uuid[])
    """,
)

VARIANTS_OF_PRODUCTS = Statement(
    "catalog.shop_variants_of_products",
    f"""
    select {_VARIANT_COLUMNS}
    from catalog_variant v
    where v.status = 'published' and v.product = any($2::uuid[])
    order by v.product, v.position, v.id
    """,
)

CATEGORIES = Statement(
    "catalog.shop_categories",
    f"""
    select id, parent, path, {text_sql("titles", "$1::text")} as title
    from catalog_category order by position, path
    """,
)

PRICE_LADDERS = Statement(
    "catalog.price_ladders",
    """
    select variant, tier, min_quantity, units from catalog_price
    where variant = any($1::uuid[]) and currency = $2 and tier in ($3, 'retail')
    order by variant, min_quantity
    """,
)
