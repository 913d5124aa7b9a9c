"""The shop's types: categories, products and variants as buyers see them.

What a document asks of a product or variant is read ahead, together with those of the whole list (see `reading`);
a field whose value is there answers at once. An object that came another way asks the request's loaders.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import UUID

import strawberry
from msgspec import UNSET, UnsetType

from kameng.graphql import Info, Money, Node, selection_of
from kameng.ids import global_id
from kameng.money import Money as Amount
from kameng.money import UnitPrice
from kameng_catalog.prices_shown import price_shown

if TYPE_CHECKING:
    from kameng_catalog.settings import CatalogSettings
    from kameng_catalog.shop.loaders import ShopLoaders

T = TypeVar("T")
Ahead: TypeAlias = T | Awaitable[T]
"""What was read ahead, or else comes from a loader."""


@strawberry.enum(description="How much there is of something, without telling how much.")
class StockState(Enum):
    """How much there is of something, without telling how much."""

    IN_STOCK = "in_stock"
    LOW = "low"
    OUT = "out"


@strawberry.type(description="A shelf of the shop; shelves lie within shelves.")
class Category(Node):
    """A node of the category tree."""

    key: strawberry.Private[UUID]
    parent_key: strawberry.Private[UUID | None]
    path: str = strawberry.field(description="The slugs that lead to it, such as `game/pc`.")
    title: str = strawberry.field(description="In the language of the request.")

    @strawberry.field(description="The category that it lies in.")
    async def parent(self, info: Info) -> Category | None:
        """From the tree, which a request reads once."""
        if self.parent_key is None:
            return None
        return (await loaders_of(info).category_tree()).by_key.get(self.parent_key)

    @strawberry.field(description="The categories that lie in it.")
    async def children(self, info: Info) -> list[Category]:
        """From the tree, which a request reads once."""
        return (await loaders_of(info).category_tree()).below(self.key)


@strawberry.type(description="What one piece costs from a quantity on.")
class QuantityPrice:
    """A step of a price ladder."""

    from_quantity: int
    unit: Money


@strawberry.type(description="What is bought: one denomination or edition of a product.")
class Variant(Node):
    """A variant as a buyer sees it."""

    key: strawberry.Private[UUID]
    product_key: strawberry.Private[UUID]
    sku: str = strawberry.field(description="The shop's own number.")
    title: str = strawberry.field(description="In the language of the request.")
    min_quantity: int = strawberry.field(description="The least that one order takes.")
    max_quantity: int = strawberry.field(description="The most that one order takes.")
    face: strawberry.Private[Amount | None]
    unit: strawberry.Private[Money | UnsetType | None] = UNSET
    pieces: strawberry.Private[int | None] = None

    @strawberry.field(description="What the card is worth.")
    def face_value(self) -> Money | None:
        """Printed on the card."""
        return None if self.face is None else Money.of(self.face)

    @strawberry.field(description="The product that it is a variant of.")
    async def product(self, info: Info) -> Product | None:
        """By way of the request's loader."""
        return await loaders_of(info).product(selection_of(info)).load(self.product_key)

    @strawberry.field(
        graphql_type=Money | None, description="What you pay for one; null if it is not for sale to you."
    )
    def price(self, info: Info) -> Ahead[Money | None]:
        """The quote for the smallest order."""
        return loaders_of(info).price(self.key) if self.unit is UNSET else self.unit

    @strawberry.field(description="What you pay for one, by quantity, the smallest first.")
    async def quantity_prices(self, info: Info) -> list[QuantityPrice]:
        """The ladder of the viewer's tier."""
        ladder = await loaders_of(info).ladder.load(self.key)
        return [
            QuantityPrice(from_quantity=step.from_quantity, unit=price_shown(step.unit)) for step in ladder
        ]

    @strawberry.field(graphql_type=StockState, description="Whether it can be bought now.")
    def stock_state(self, info: Info) -> Ahead[StockState]:
        """Read from the stock, not remembered."""
        loaders = loaders_of(info)
        return (
            loaders.stock_state(self.key) if self.pieces is None else state_of(self.pieces, loaders.settings)
        )

    @strawberry.field(
        graphql_type=int, description="How many can be bought now; from a certain number on it says no more."
    )
    def available(self, info: Info) -> Ahead[int]:
        """Capped, so that nobody reads the shop's stock."""
        loaders = loaders_of(info)
        if self.pieces is None:
            return loaders.shown_stock(self.key)
        return min(self.pieces, loaders.settings.available_cap)


@strawberry.type(description="Something that the shop sells, in one or more variants.")
class Product(Node):
    """A product as a buyer sees it."""

    key: strawberry.Private[UUID]
    category_key: strawberry.Private[UUID]
    slug: str = strawberry.field(description="Its name in addresses.")
    title: str = strawberry.field(description="In the language of the request.")
    description: str = strawberry.field(description="In the language of the request; plain text.")
    tags: list[str]
    created_at: datetime
    lowest: strawberry.Private[Money | UnsetType | None] = UNSET
    pieces: strawberry.Private[int | None] = None
    offered: strawberry.Private[list[Variant] | None] = None

    @strawberry.field(description="The shelf it stands on.")
    async def category(self, info: Info) -> Category | None:
        """From the tree, which a request reads once."""
        return (await loaders_of(info).category_tree()).by_key.get(self.category_key)

    @strawberry.field(
        graphql_type=list[Variant], description="What can be bought of it, in the shop's order."
    )
    def variants(self, info: Info) -> Ahead[list[Variant]]:
        """Those of several products are read together."""
        if self.offered is None:
            return loaders_of(info).variants_of(selection_of(info)).load(self.key)
        return self.offered

    @strawberry.field(
        graphql_type=Money | None,
        description="The lowest price among its variants, for you; null if none is for sale.",
    )
    def price_from(self, info: Info) -> Ahead[Money | None]:
        """By the rule that makes the variants' prices."""
        return loaders_of(info).lowest.load(self.key) if self.lowest is UNSET else self.lowest

    @strawberry.field(graphql_type=StockState, description="The best stock state among its variants.")
    def stock_state(self, info: Info) -> Ahead[StockState]:
        """In stock if any variant is."""
        loaders = loaders_of(info)
        return (
            loaders.best_state(self.key) if self.pieces is None else state_of(self.pieces, loaders.settings)
        )


def loaders_of(info: Info) -> ShopLoaders:
    """The loaders of the request."""
    from kameng_catalog.shop.loaders import shop_loaders  # the loaders make these types

    return shop_loaders(info.context)


def state_of(pieces: int, settings: CatalogSettings) -> StockState:
    """What the shop tells of a number of pieces."""
    if pieces <= 0:
        return StockState.OUT
    return StockState.LOW if pieces < settings.low_stock else StockState.IN_STOCK


def category_of(row: Any) -> Category:
    """The category in a row."""
    return Category(
        id=strawberry.ID(global_id("Category", row["id"])),
        key=row["id"],
        parent_key=row["parent"],
        path=row["path"],
        title=row["title"],
    )


def product_of(row: Any, currency: str) -> Product:
    """The product in a row of `columns.product_columns`.

    What nobody asked for is not in the row, and None in the product; nobody looks at it.
    """
    get = row.get
    return Product(
        id=strawberry.ID(global_id("Product", row["id"])),
        key=row["id"],
        category_key=get("category"),
        slug=get("slug"),
        title=get("title"),
        description=get("description"),
        tags=get("tags"),
        created_at=get("created_at"),
        lowest=_money(get("lowest", UNSET), currency),
    )


def variant_of(row: Any, currency: str) -> Variant:
    """The variant in a row of `columns.variant_columns`; None as in `product_of`."""
    get = row.get
    face = get("face_minor")
    return Variant(
        id=strawberry.ID(global_id("Variant", row["id"])),
        key=row["id"],
        product_key=row["product"],
        sku=get("sku"),
        title=get("title"),
        min_quantity=get("min_quantity"),
        max_quantity=get("max_quantity"),
        face=None if face is None else Amount(face, row["face_currency"]),
        unit=_money(get("units", UNSET), currency),
    )


def _money(units: int | UnsetType | None, currency: str) -> Money | UnsetType | None:
    return price_shown(UnitPrice(units, currency)) if isinstance(units, int) else units
