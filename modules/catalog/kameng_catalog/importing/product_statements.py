"""The SQL of product imports: what is there, and what is put in its place."""

from kameng.db import Statement

LOCK = Statement(
    "catalog.lock_product_import", "select pg_advisory_xact_lock(hashtext('catalog.import_products'))"
)

CATEGORIES = Statement("catalog.import_categories", "select id, parent, path, titles from catalog_category")

PRODUCTS = Statement(
    "catalog.import_products",
    """
    select p.id, p.slug, c.path as category, p.titles, p.descriptions, p.tags, p.form, p.status
    from catalog_product p join catalog_category c on c.id = p.category
    where p.slug = any($1::text[])
    """,
)

VARIANTS = Statement(
    "catalog.import_variants",
    """
    select v.id, v.sku, p.slug as product, v.titles, v.stock_kind, v.face_minor, v.face_currency,
        v.cost_units, v.cost_currency, v.below_cost, v.min_quantity, v.max_quantity, v.position, v.status,
        r.units as price
    from unnest($1::text[], $2::text[]) as asked (sku, currency)
    join catalog_variant v on v.sku = asked.sku
    join catalog_product p on p.id = v.product
    left join catalog_price r on r.variant = v.id and r.currency = asked.currency
        and r.tier = 'retail' and r.min_quantity = 1
    """,
)

PUT_CATEGORIES = Statement(
    "catalog.put_categories",
    """
    insert into catalog_category (id, parent, path, titles, position, created_at)
    select id, parent, path, titles, 0, now()
    from jsonb_to_recordset($1::jsonb) as r (id uuid, parent uuid, path text, titles jsonb)
    on conflict (path) do update set titles = excluded.titles
    """,
)

PUT_PRODUCTS = Statement(
    "catalog.put_products",
    """
    insert into catalog_product as p
        (id, slug, category, titles, descriptions, tags, form, status, created_at, updated_at)
    select id, slug, category, titles, descriptions, tags, nullif(form, 'null'), status, now(), now()
    from jsonb_to_recordset($1::jsonb) as r (
        id uuid, slug text, category uuid, titles jsonb, descriptions jsonb, tags text[], form jsonb, status text
    )
    on conflict (slug) do update set category = excluded.category, titles = excluded.titles,
        descriptions = excluded.descriptions, tags = excluded.tags, form = excluded.form, status = excluded.status,
        publish_at = case when excluded.status in (p.status, 'draft') then p.publish_at end,
        unpublish_at = case when excluded.status in (p.status, 'draft', 'published') then p.unpublish_at end,
        updated_at = excluded.updated_at
    """,
)

PUT_VARIANTS = Statement(
    "catalog.put_variants",
    """
    insert into catalog_variant (id, product, sku, titles, stock_kind, delivery, face_minor, face_currency,
        cost_units, cost_currency, min_quantity, max_quantity, position, status, created_at, updated_at)
    select id, product, sku, titles, stock_kind,
        case stock_kind when 'supplier' then 'supplier' else 'instant' end, face_minor, face_currency,
        cost_units, cost_currency, min_quantity, max_quantity, position, status, now(), now()
    from jsonb_to_recordset($1::jsonb) as r (
        id uuid, product uuid, sku text, titles jsonb, stock_kind text, face_minor bigint, face_currency text,
        cost_units bigint, cost_currency text, min_quantity int, max_quantity int, position int, status text
    )
    on conflict (sku) do update set titles = excluded.titles, face_minor = excluded.face_minor,
        face_currency = excluded.face_currency, cost_units = excluded.cost_units,
        cost_currency = excluded.cost_currency, min_quantity = excluded.min_quantity,
        max_quantity = excluded.max_quantity, status = excluded.status, updated_at = excluded.updated_at
    """,
)
