"""The list of products: filtered, sorted, a keyset page at a time."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry

from kameng.graphql import Connection, Selection
from kameng.graphql.pages import Keyset, PageRequest
from kameng_catalog.searching import asked_terms
from kameng_catalog.shop.columns import product_columns
from kameng_catalog.shop.reading import shop_reader
from kameng_catalog.shop.types import Product

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

_SORTED_BY = {
    ProductSort.ARRANGED: ("position",),
    ProductSort.NEWEST: (),
    ProductSort.POPULAR: ("popularity",),
}


async def list_products(
    context: Context,
    page: PageRequest,
    asked: Selection,
    *,
    category: str | None,
    search: str | None,
    sort: ProductSort,
) -> Connection[Product]:
    """A page of published products.

    Args:
        context: the request.
        page: which page.
        asked: what is asked of the products.
        category: only those of this path and the paths below it.
        search: only those that have all its words; None, or a text without a word, filters nothing.
        sort: the order.
    """
    keyset = KEYSETS[sort]
    columns = product_columns(asked, *_SORTED_BY[sort])
    wanted: list[Any] = []
    conditions: list[str] = []

    def parameter(value: Any) -> str:
        wanted.append(value)
        return f"${columns.free + len(wanted) - 1}"

    if category is not None:
        path = parameter(category)
        conditions.append(
            f"p.category in (select id from catalog_category where path = {path} or starts_with(path, {path} || '/'))"
        )
    if search is not None and (terms := asked_terms(search)):
        conditions.append(f"p.search_terms @> {parameter(terms)}::text[]")
    cursor, tail, values = page.clauses(keyset, columns.free + len(wanted))
    reader = shop_reader(context)
    rows = await reader.product_rows(
        "catalog.shop_products", columns, " and ".join([*conditions, cursor]), [*wanted, *values], tail
    )
    products = await reader.products(page.kept(rows), columns, asked)
    return page.connection_of(rows, keyset, lambda row: _sort_values(row, sort), products)


def _sort_values(row: Any, sort: ProductSort) -> list[Any]:
    if sort is ProductSort.ARRANGED:
        return [row["position"], row["key"]]
    if sort is ProductSort.POPULAR:
        return [row["popularity"], row["key"]]
    return [row["key"]]
