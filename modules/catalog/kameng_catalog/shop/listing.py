"""The list of products: filtered, sorted, a keyset page at a time."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry

from kameng.db import Statement
from kameng.graphql import Connection
from kameng.graphql.pages import Keyset, PageRequest
from kameng_catalog.searching import asked_terms
from kameng_catalog.shop.statements import PRODUCT_COLUMNS
from kameng_catalog.shop.types import Product, product_of

if TYPE_CHECKING:
    from kameng.graphql import Context


@strawberry.enum(description="The order of a list of products.")
class ProductSort(Enum):
    """The orders that an index serves."""

    ARRANGED = strawberry.enum_value("arranged", description="As the shop has put them.")
    NEWEST = strawberry.enum_value("newest", description="The newest first.")
    POPULAR = strawberry.enum_value("popular", description="What sold most lately comes first.")


KEYSETS = {
    ProductSort.ARRANGED: Keyset("arranged", (("p.position", "int"), ("p.id", "uuid"))),
    ProductSort.NEWEST: Keyset("newest", (("p.id", "uuid"),), descending=True),
    ProductSort.POPULAR: Keyset("popular", (("p.popularity", "bigint"), ("p.id", "uuid")), descending=True),
}
"""Each sort as a keyset; an index of `kameng_catalog.tables` has the same columns."""


async def list_products(
    context: Context, page: PageRequest, *, category: str | None, search: str | None, sort: ProductSort
) -> Connection[Product]:
    """A page of published products.

    Args:
        context: the request.
        page: which page.
        category: only those of this path and the paths below it.
        search: only those that have all its words; None, or a text without a word, filters nothing.
        sort: the order.
    """
    keyset = KEYSETS[sort]
    wanted: list[Any] = [context.locale]
    conditions = ["p.status = 'published'"]
    if category is not None:
        wanted.append(category)
        conditions.append(
            "p.category in (select id from catalog_category"
            f" where path = ${len(wanted)} or starts_with(path, ${len(wanted)} || '/'))"
        )
    if search is not None and (terms := asked_terms(search)):
        wanted.append(terms)
        conditions.append(f"p.search_terms @> ${len(wanted)}::text[]")
    cursor, tail, values = page.clauses(keyset, len(wanted) + 1)
    where = " and ".join([*conditions, cursor])
    sql = f"select {PRODUCT_COLUMNS} from catalog_product p where {where} {tail}"
    rows = await context.db.fetch(Statement("catalog.shop_products", sql), *wanted, *values)
    return page.connection(rows, keyset, lambda row: _sort_values(row, sort), product_of)


def _sort_values(row: Any, sort: ProductSort) -> list[Any]:
    if sort is ProductSort.ARRANGED:
        return [row["position"], row["id"]]
    if sort is ProductSort.POPULAR:
        return [row["popularity"], row["id"]]
    return [row["id"]]
