"""The shop's SQL that is the same for every document; `columns` and `reading` make the rest."""

from kameng.db import Statement
from kameng_catalog.texts import text_sql

CATEGORIES = Statement(
    "catalog.shop_categories",
    f"""
    select id, parent, path, {text_sql("titles", "$1::text")} as title
    from catalog_category order by position, path
    """,
)

MEDIA = Statement(
    "catalog.media_of_products",
    """
    select m.id, m.product, m.alts, m.position, f.content_hash, f.extension, f.width, f.height, f.size_bytes, f.thumbnails
    from catalog_product_media m join catalog_media_file f on f.id = m.file
    where m.product = any($1::uuid[])
    order by m.product, m.position, m.id
    """,
)
