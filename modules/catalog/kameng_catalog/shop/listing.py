"""The list of products: filtered, sorted, a keyset page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import strawberry

from kameng.db import Statement
from kameng.errors import InvalidInput
from kameng.graphql import Connection, Selection
from kameng.graphql.pages import PageRequest
from kameng.money import UnitPrice
from kameng_catalog.attributes.values import attribute_term
from kameng_catalog.known_lists import KnownLists
from kameng_catalog.searching import asked_words, tag_term
from kameng_catalog.shop.columns import product_columns
from kameng_catalog.shop.conditions import AnyOf, Between, Condition, InStock
from kameng_catalog.shop.filtering import Filter, Ways
from kameng_catalog.shop.ordering import ORDERS, ProductSort
from kameng_catalog.shop.reading import LISTED, shop_reader
from kameng_catalog.shop.types import Product

if TYPE_CHECKING:
    from kameng.graphql import Context

MOST_VALUES = 50
"""Values of one filter."""


@strawberry.input(
    description="Products whose lowest retail price in the shop's currency lies in a range, whatever the viewer's own prices "
    "are. Both ends belong to it; an end that is left out is open."
)
class PriceRange:
    """A range of prices in the shop's currency."""

    from_: Decimal | None = strawberry.field(
        name="from", default=None, description="In main units, such as 9.90."
    )
    to: Decimal | None = strawberry.field(default=None, description="In main units, such as 99.")


@strawberry.input(
    description="Products that state something in this attribute: a value, one of several, or a number in a range. "
    "What is left out does not count; one with nothing but its code filters nothing."
)
class AttributeFilter:
    """Values to filter by."""

    code: str
    value: str | None = strawberry.field(default=None, description="As `ProductAttribute.values` has it.")
    any_of: list[str] | None = strawberry.field(
        default=None, description="At least one of these, at most 50."
    )
    from_: Decimal | None = strawberry.field(
        name="from", default=None, description="Of a number: at least this."
    )
    to: Decimal | None = strawberry.field(default=None, description="Of a number: at most this.")

    def conditions(self) -> list[Condition]:
        """What products are looked at for one by one.

        Raises:
            InvalidInput: more values than one filter may have.
        """
        found: list[Condition] = []
        if self.any_of:
            if len(self.any_of) > MOST_VALUES:
                raise InvalidInput(
                    f"A filter has at most {MOST_VALUES} values.",
                    cure="Ask for fewer.",
                    path=("attributes", self.code[:40]),
                )
            found.append(AnyOf(tuple(attribute_term(self.code, value) for value in self.any_of)))
        if self.from_ is not None or self.to is not None:
            found.append(Between(self.code, self.from_, self.to))
        return found


def filter_of(
    *,
    category: str | None,
    search: str | None,
    tags: Sequence[str] | None,
    price: PriceRange | None,
    currency: str,
    attributes: Sequence[AttributeFilter] | None = None,
    in_stock: str = "",
) -> Filter:
    """What products have in common whose list is asked for.

    Args:
        category: only those of this path and the paths below it.
        search: only those that have all its words; None, or a text without a word, filters nothing.
        tags: only those that have all of these.
        price: only those in this range.
        currency: the shop's.
        attributes: only those that state all of these.
        in_stock: only those of which there is a piece, by the days of this time zone; empty: whether or not.

    Raises:
        InvalidInput: an end of the range is no price, or a filter has too many values.
    """
    # No category is called "?"; an empty path is that of none, not of the shop.
    words = [] if category is None else [[f"/{category.strip('/') or '?'}"]]
    words += [[tag_term(tag)] for tag in tags or ()]
    words += [
        [attribute_term(asked.code, asked.value)] for asked in attributes or () if asked.value is not None
    ]
    words += asked_words(search or "")
    ends = (None, None) if price is None else (price.from_, price.to)
    lowest, highest = (None if end is None else UnitPrice.parse(end, currency).units for end in ends)
    others = [condition for asked in attributes or () for condition in asked.conditions()]
    others += [InStock(in_stock)] if in_stock else []
    return Filter(tuple(map(tuple, words)), lowest, highest, tuple(others))


async def list_products(
    context: Context, page: PageRequest, asked: Selection, wanted: Filter, sort: ProductSort
) -> Connection[Product]:
    """A page of published products.

    Args:
        context: the request.
        page: which page.
        asked: what is asked of the products.
        wanted: what they have in common.
        sort: the order.
    """
    order = ORDERS[sort]
    columns = product_columns(asked, *([order.column] if order.column else []))
    reader = shop_reader(context)
    ways = Ways(wanted, order, page, await context.service(KnownLists).read(), columns.free)
    _, tail, _ = page.clauses(order.of_products, columns.free)
    rows: list[Any] = []
    for way in ways:
        rows = await reader.product_rows(way.name, columns, way.where, way.values, tail, sold=LISTED)
        if len(rows) > page.size or not way.bound:
            break
        count, values = ways.count(way)
        if await context.db.fetchval(Statement("catalog.count_walked", count), *values) < way.bound:
            break  # it reached the end of the list
    products = await reader.products(page.kept(rows), columns, asked)
    return page.connection_of(rows, order.of_products, order.values, products)
