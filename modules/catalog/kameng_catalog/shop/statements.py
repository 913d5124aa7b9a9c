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
