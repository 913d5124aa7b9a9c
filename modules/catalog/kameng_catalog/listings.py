"""Keeping what is derived from products in step: called in the transaction that changed products, variants or prices.

Here are the search terms and the lowest price, which lie in the product's row. Its places in the lists follow from the row
by a trigger, whoever changes it: see ``catalog_put_lists`` in `listing_tables`.

Two transactions may change variants of one product at once. Both lock the product before they compute what is derived
from all of its variants, so that the second one sees what the first one did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.db import Statement
from kameng_catalog.json_rows import json_rows
from kameng_catalog.pricing import units_sql
from kameng_catalog.search_index import read_terms

if TYPE_CHECKING:
    from kameng.db import Database

LOCK_PRODUCTS = Statement(
    "catalog.lock_products",
    "select id from catalog_product where id = any($1::uuid[]) order by id for no key update",
)

_PRICE = units_sql(variant="v", currency="$2", tier="'retail'", quantity="v.min_quantity")
_LOWEST = (
    f"(select min({_PRICE}) from catalog_variant v where v.product = {{product}} and v.status = 'published')"
)
# The next instant at which one of these prices begins or ends.
_UNTIL = """(
        select min(case when s.starts_at > now() then s.starts_at else s.ends_at end)
        from catalog_variant v join catalog_special_price s on s.variant = v.id
        where v.product = {product} and v.specially_priced and s.site = '' and s.tier = 'retail' and s.currency = $2
            and (s.starts_at > now() or s.ends_at > now())
    )"""

PUT_LOWEST = Statement(
    "catalog.put_lowest_prices",
    f"""
    with lowest as (
        select id, {_LOWEST.format(product="q.id")} as units, {_UNTIL.format(product="q.id")} as until
        from catalog_product q where id = any($1::uuid[])
    )
    update catalog_product p set lowest_units = lowest.units, lowest_until = lowest.until from lowest
    where p.id = lowest.id and (p.lowest_units, p.lowest_until) is distinct from (lowest.units, lowest.until)
    """,
)

PUT_DERIVED = Statement(
    "catalog.put_derived",
    f"""
    with derived as (
        select r.id, r.terms, {_LOWEST.format(product="r.id")} as units, {_UNTIL.format(product="r.id")} as until
        from jsonb_to_recordset($1::jsonb) as r (id uuid, terms text[])
    )
    update catalog_product p
    set search_terms = derived.terms, lowest_units = derived.units, lowest_until = derived.until from derived
    where p.id = derived.id
        and (p.search_terms <> derived.terms
            or (p.lowest_units, p.lowest_until) is distinct from (derived.units, derived.until))
    """,
)


async def lock_products(db: Database, products: Sequence[UUID]) -> list[UUID]:
    """Lock products in the order of their keys until the transaction ends; gives those that exist.

    Whatever changes a product, its variants or their prices does this first.
    """
    rows: list[Any] = await db.fetch(LOCK_PRODUCTS, list(products))
    return [row["id"] for row in rows]


async def refresh_products(db: Database, products: Sequence[UUID], currency: str) -> int:
    """Compute anew all that is derived from products and their variants; gives how many were otherwise. Three statements.

    Args:
        db: in the transaction that changed them.
        products: their keys.
        currency: the shop's, whose prices lists are sorted by.
    """
    keys = await lock_products(db, products)
    tag = await db.execute(PUT_DERIVED, json_rows(await read_terms(db, keys)), currency)
    return int(tag.split()[-1])


async def refresh_prices(db: Database, products: Sequence[UUID], currency: str) -> None:
    """As `refresh_products`, where nothing but prices changed. Two statements."""
    keys = await lock_products(db, products)
    await db.execute(PUT_LOWEST, keys, currency)
