"""Products as rows of a file that imports to the same products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from kameng.db import Statement
from kameng_catalog.exporting.texts import minor_text, path_titles, tags_text, units_text
from kameng_catalog.forms import read_form
from kameng_catalog.importing.product_lines import COLUMNS, LOCALE_SUFFIXES

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng_catalog.bulk.filters import BulkFilter

COLUMNS_OF_PRODUCTS = COLUMNS.known
"""The columns of the file, in their order."""

TITLES = Statement("catalog.export_category_titles", "select path, titles from catalog_category")


def products_to_export(wanted: BulkFilter, currency: str) -> tuple[Statement, list[Any]]:
    """The statement that reads variants with their products, and its parameters.

    Args:
        wanted: which ones.
        currency: whose retail price goes before others.
    """
    condition, values = wanted.conditions(2)
    sql = f"""
    select v.sku, p.slug, p.titles, p.descriptions, p.tags, p.form, p.status as product_status, c.path,
        v.titles as variant_titles,
        v.stock_kind, v.face_minor, v.face_currency, v.cost_units, v.cost_currency, v.min_quantity, v.max_quantity,
        v.status, r.units, r.currency
    from catalog_product p join catalog_category c on c.id = p.category join catalog_variant v on v.product = p.id
    left join lateral (
        select units, currency from catalog_price
        where variant = v.id and tier = 'retail' and min_quantity = 1
        order by currency <> $1, currency limit 1
    ) r on true
    where {condition}
    order by p.id, v.position, v.id
    """
    return Statement("catalog.export_products", sql), [currency, *values]


class ProductRows:
    """Makes rows of the file of rows of the database."""

    def __init__(self, titles: Mapping[str, Mapping[str, str]]) -> None:
        self._titles = titles

    @classmethod
    async def read(cls, db: Database) -> ProductRows:
        """With the names of all categories."""
        return cls({row["path"]: orjson.loads(row["titles"]) for row in await db.fetch(TITLES)})

    def cells(self, row: Mapping[str, Any]) -> list[str] | None:
        """The cells of a variant; None for one without a retail price, which no such file can hold."""
        if row["units"] is None:
            return None
        titles, variant, descriptions = (
            orjson.loads(row[name]) for name in ("titles", "variant_titles", "descriptions")
        )
        texts = {
            "sku": row["sku"],
            "product": row["slug"],
            "category": row["path"],
            "kind": row["stock_kind"],
            "face_value": minor_text(row["face_minor"], row["face_currency"]),
            "face_currency": row["face_currency"] or "",
            "price": units_text(row["units"]),
            "cost": units_text(row["cost_units"]),
            "cost_currency": row["cost_currency"] or "",
            "currency": row["currency"],
            "min_quantity": str(row["min_quantity"]),
            "max_quantity": str(row["max_quantity"]),
            "tags": tags_text(row["tags"]),
            "form": msgspec.json.encode(form).decode() if (form := read_form(row["form"])) else "",
            "product_status": row["product_status"],
            "status": row["status"],
        }
        for suffix, locale in LOCALE_SUFFIXES.items():
            texts[f"title_{suffix}"] = titles.get(locale, "")
            texts[f"variant_{suffix}"] = variant.get(locale, "")
            texts[f"description_{suffix}"] = descriptions.get(locale, "")
            texts[f"category_{suffix}"] = path_titles(row["path"], self._titles, locale)
        return [texts[column] for column in COLUMNS_OF_PRODUCTS]
