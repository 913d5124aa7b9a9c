"""The orders of the shop's lists, as keysets over whatever has the columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import strawberry

from kameng.graphql.pages import Keyset


@strawberry.enum(description="The order of a list of products.")
class ProductSort(Enum):
    """The orders that an index serves."""

    ARRANGED = strawberry.enum_value("arranged", description="As the shop has put them.")
    NEWEST = strawberry.enum_value("newest", description="The newest first.")
    POPULAR = strawberry.enum_value("popular", description="What sold most lately comes first.")
    PRICE_ASC = strawberry.enum_value(
        "price-asc",
        description="The cheapest first, by the lowest retail price in the shop's currency, whatever the viewer's own "
        "prices are. Products without such a price are not in this list.",
    )
    PRICE_DESC = strawberry.enum_value(
        "price-desc", description="The dearest first; otherwise as `PRICE_ASC`."
    )


@dataclass(frozen=True, slots=True)
class Order:
    """One order.

    Attributes:
        name: what cursors call it.
        column: what it goes by before the key, in ``catalog_product``; empty for the key alone.
        listed: the same column in ``catalog_listed``.
        kind: its SQL type.
        descending: whether it runs from high to low.
    """

    name: str
    column: str = ""
    listed: str = ""
    kind: str = ""
    descending: bool = False

    @property
    def of_products(self) -> Keyset:
        """Over products ``p``."""
        return self._keyset("p.id", f"p.{self.column}")

    @property
    def of_listed(self) -> Keyset:
        """Over rows ``l`` of a list."""
        return self._keyset("l.product", f"l.{self.listed}")

    def _keyset(self, key: str, column: str) -> Keyset:
        columns = ((column, self.kind), (key, "uuid")) if self.column else ((key, "uuid"),)
        return Keyset(self.name, columns, descending=self.descending)

    @property
    def by_price(self) -> bool:
        """Whether it goes by the price, which some products have none of."""
        return self.listed == "units"

    def values(self, row: Any) -> list[Any]:
        """The sort values of a product's row."""
        return [row[self.column], row["key"]] if self.column else [row["key"]]


ORDERS = {
    ProductSort.ARRANGED: Order("arranged", "position", "position", "int"),
    ProductSort.NEWEST: Order("newest", descending=True),
    ProductSort.POPULAR: Order("popular", "popularity", "popularity", "bigint", descending=True),
    ProductSort.PRICE_ASC: Order("price-asc", "lowest_units", "units", "bigint"),
    ProductSort.PRICE_DESC: Order("price-desc", "lowest_units", "units", "bigint", descending=True),
}
"""Each sort; the indexes of `kameng_catalog.listing_tables` have its columns behind the list."""
