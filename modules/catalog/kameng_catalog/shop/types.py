"""The shop's types: categories, products and variants as buyers see them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import strawberry

from kameng.graphql import Info, Money, Node
from kameng.ids import global_id
from kameng.money import Money as Amount
from kameng_catalog.prices_shown import price_shown

if TYPE_CHECKING:
    from kameng_catalog.shop.loaders import ShopLoaders


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

    @strawberry.field(description="What the card is worth.")
    def face_value(self) -> Money | None:
        """Printed on the card."""
        return None if self.face is None else Money.of(self.face)

    @strawberry.field(description="The product that it is a variant of.")
    async def product(self, info: Info) -> Product | None:
        """By way of the request's loader."""
        return await loaders_of(info).product.load(self.product_key)

    @strawberry.field(description="What you pay for one; null if it is not for sale to you.")
    async def price(self, info: Info) -> Money | None:
        """The quote for the smallest order."""
        quote = await loaders_of(info).quote.load((self.key, self.min_quantity))
        return None if quote is None else price_shown(quote.unit)

    @strawberry.field(description="What you pay for one, by quantity, the smallest first.")
    async def quantity_prices(self, info: Info) -> list[QuantityPrice]:
        """The ladder of the viewer's tier."""
        ladder = await loaders_of(info).ladder.load(self.key)
        return [
            QuantityPrice(from_quantity=step.from_quantity, unit=price_shown(step.unit)) for step in ladder
        ]

    @strawberry.field(description="Whether it can be bought now.")
    async def stock_state(self, info: Info) -> StockState:
        """Read from the stock, not remembered."""
        loaders = loaders_of(info)
        return _state(await loaders.available.load(self.key), loaders.settings.low_stock)

    @strawberry.field(description="How many can be bought now; from a certain number on it says no more.")
    async def available(self, info: Info) -> int:
        """Capped, so that nobody reads the shop's stock."""
        loaders = loaders_of(info)
        return min(await loaders.available.load(self.key), loaders.settings.available_cap)


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

    @strawberry.field(description="The shelf it stands on.")
    async def category(self, info: Info) -> Category | None:
        """From the tree, which a request reads once."""
        return (await loaders_of(info).category_tree()).by_key.get(self.category_key)

    @strawberry.field(description="What can be bought of it, in the shop's order.")
    async def variants(self, info: Info) -> list[Variant]:
        """By way of the request's loader."""
        return await loaders_of(info).variants_of.load(self.key)

    @strawberry.field(description="The lowest price among its variants, for you; null if none is for sale.")
    async def price_from(self, info: Info) -> Money | None:
        """By the rule that makes the variants' prices."""
        lowest = await loaders_of(info).price_from.load(self.key)
        return None if lowest is None else price_shown(lowest)

    @strawberry.field(description="The best stock state among its variants.")
    async def stock_state(self, info: Info) -> StockState:
        """In stock if any variant is."""
        loaders = loaders_of(info)
        return _state(await loaders.most.load(self.key), loaders.settings.low_stock)


def loaders_of(info: Info) -> ShopLoaders:
    """The loaders of the request."""
    from kameng_catalog.shop.loaders import shop_loaders  # the loaders make these types

    return shop_loaders(info.context)


def _state(available: int, low_stock: int) -> StockState:
    if available <= 0:
        return StockState.OUT
    return StockState.LOW if available < low_stock else StockState.IN_STOCK


def category_of(row: Any) -> Category:
    """The category in a row."""
    return Category(
        id=strawberry.ID(global_id("Category", row["id"])),
        key=row["id"],
        parent_key=row["parent"],
        path=row["path"],
        title=row["title"],
    )


def product_of(row: Any) -> Product:
    """The product in a row of ``PRODUCT_COLUMNS``."""
    return Product(
        id=strawberry.ID(global_id("Product", row["id"])),
        key=row["id"],
        category_key=row["category"],
        slug=row["slug"],
        title=row["title"],
        description=row["description"],
        tags=row["tags"],
        created_at=row["created_at"],
    )


def variant_of(row: Any) -> Variant:
    """The variant in a row."""
    face = row["face_minor"]
    return Variant(
        id=strawberry.ID(global_id("Variant", row["id"])),
        key=row["id"],
        product_key=row["product"],
        sku=row["sku"],
        title=row["title"],
        min_quantity=row["min_quantity"],
        max_quantity=row["max_quantity"],
        face=None if face is None else Amount(face, row["face_currency"]),
    )
