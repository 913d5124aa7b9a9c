"""Prices as rows of a file that imports to the same prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kameng.db import Statement
from kameng_catalog.exporting.texts import moment_text, units_text
from kameng_catalog.importing.price_lines import COLUMNS

if TYPE_CHECKING:
    from kameng_catalog.bulk.filters import BulkFilter

COLUMNS_OF_PRICES = COLUMNS.known
"""The columns of the file, in their order."""


def prices_to_export(wanted: BulkFilter) -> tuple[Statement, list[Any]]:
    """The statement that reads all prices of variants, and its parameters; periods that are over are left out."""
    condition, values = wanted.conditions(1)
    sql = f"""
    select v.sku, r.* from catalog_product p join catalog_category c on c.id = p.category
    join catalog_variant v on v.product = p.id
    cross join lateral (
        select currency, tier, min_quantity, units, '' as site, null::timestamptz as starts_at,
            null::timestamptz as ends_at
        from catalog_price where variant = v.id
        union all
        select currency, tier, min_quantity, units, site, starts_at, ends_at
        from catalog_special_price where variant = v.id and (ends_at is null or ends_at > now())
    ) r
    where {condition}
    order by p.id, v.position, v.id, r.site, r.currency, r.tier <> 'retail', r.tier, r.starts_at nulls first,
        r.min_quantity
    """
    return Statement("catalog.export_prices", sql), values


def price_cells(row: Mapping[str, Any]) -> list[str]:
    """The cells of a price."""
    return [
        row["sku"],
        row["tier"],
        str(row["min_quantity"]),
        row["currency"],
        units_text(row["units"]),
        row["site"],
        moment_text(row["starts_at"]),
        moment_text(row["ends_at"]),
    ]
