"""The shop's types: categories, products and variants as buyers see them.

What a document asks of a product or variant is read ahead, together with those of the whole list (see `reading`);
a field whose value is there answers at once. An object that came another way asks the request's loaders.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar
from uuid import UUID

import strawberry
from msgspec import UNSET, UnsetType

from kameng.graphql import Info, Money, Node, Selection, object_of, selection_of
from kameng.ids import global_id
from kameng.money import Money as Amount
from kameng_catalog.delivery_kinds import DeliveryKind
from kameng_catalog.forms import read_form
from kameng_catalog.price_steps import PriceStepShown, step_shown
from kameng_catalog.prices_shown import price_shown
from kameng_catalog.shop.form_types import FormField
from kameng_catalog.shop.product_fields import Attribute, ExtraLoaders, ProductExtras

if TYPE_CHECKING:
    from strawberry.dataloader import DataLoader

    from kameng_catalog.price_trace import PriceStep
    from kameng_catalog.settings import CatalogSettings
    from kameng_catalog.shop.loaders import LadderStep, ShopLoaders

T = TypeVar("T")
Ahead: TypeAlias = T | Awaitable[T]
"""What was read ahead, or else comes from a loader."""


class Loaders(ExtraLoaders, Protocol):
    """What objects turn to for things that were not read ahead; see `ShopLoaders`, which is made of these types."""

    settings: CatalogSettings
    currency: str

    @property
    def lowest(self) -> DataLoader[UUID, Money | None]: ...
    @property
    def ladder(self) -> DataLoader[UUID, list[LadderStep]]: ...
    @property
    def trace(self) -> DataLoader[tuple[UUID, int], Sequence[PriceStep]]: ...
    def product(self, asked: Selection) -> DataLoader[UUID, Product | None]: ...
    def variants_of(self, asked: Selection) -> DataLoader[UUID, list[Variant]]: ...
    async def price(self, variant: UUID) -> Money | None: ...
    async def stock_state(self, variant: UUID) -> StockState: ...
    async def shown_stock(self, variant: UUID) -> int: ...
    async def best_state(self, product: UUID) -> StockState: ...


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

    @strawberry.field(
        description="What its products state beside their texts: its own attributes and those of all above it."
    )
    async def attributes(self, info: Info) -> list[Attribute]:
        """In the order in which they are shown."""
        definitions = await loaders_of(info).definitions()
        return [Attribute.of(found, info.context.locale) for found in definitions.of(self.path)]


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
    face_minor: strawberry.Private[int | None]
    face_currency: strawberry.Private[str]
    delivery_kind: strawberry.Private[str]
    loaders: strawberry.Private[Loaders]
    unit: strawberry.Private[Money | UnsetType | None] = UNSET
    pieces: strawberry.Private[int | None] = None

    @strawberry.field(description="What the card is worth.")
    def face_value(self) -> Money | None:
        """Printed on the card."""
        return None if self.face_minor is None else Money.of(Amount(self.face_minor, self.face_currency))

    @strawberry.field(description="The product that it is a variant of.")
    async def product(self, info: Info) -> Product | None:
        """By way of the request's loader."""
        return await self.loaders.product(selection_of(info)).load(self.product_key)

    @strawberry.field(
        graphql_type=Money | None, description="What you pay for one; null if it is not for sale to you."
    )
    def price(self) -> Ahead[Money | None]:
        """The quote for the smallest order."""
        return self.loaders.price(self.key) if self.unit is UNSET else self.unit

    @strawberry.field(description="What you pay for one, by quantity, the smallest first.")
    async def quantity_prices(self, info: Info) -> list[QuantityPrice]:
        """The ladder of the viewer's tier."""
        ladder, currency = await self.loaders.ladder.load(self.key), self.loaders.currency
        return [
            QuantityPrice(from_quantity=step.from_quantity, unit=price_shown(step.units, currency))
            for step in ladder
        ]

    @strawberry.field(
        description="How the price of the smallest order comes to be, in the order in which the steps decide; none if it is not "
        "for sale to you."
    )
    async def price_steps(self, info: Info) -> list[PriceStepShown]:
        """By the one place that quotes prices."""
        trace = await self.loaders.trace.load((self.key, self.min_quantity))
        return [step_shown(step, info.context.locale) for step in trace]

    @strawberry.field(description="How it is delivered once it is paid.")
    def delivery(self) -> DeliveryKind:
        """From stock, by people, or by a supplier."""
        return DeliveryKind(self.delivery_kind)

    @strawberry.field(graphql_type=StockState, description="Whether it can be bought now.")
    def stock_state(self) -> Ahead[StockState]:
        """Read from the stock, not remembered."""
        loaders = self.loaders
        return (
            loaders.stock_state(self.key) if self.pieces is None else state_of(self.pieces, loaders.settings)
        )

    @strawberry.field(
        graphql_type=int, description="How many can be bought now; from a certain number on it says no more."
    )
    def available(self) -> Ahead[int]:
        """Capped, so that nobody reads the shop's stock."""
        loaders = self.loaders
        if self.pieces is None:
            return loaders.shown_stock(self.key)
        return min(self.pieces, loaders.settings.available_cap)


@strawberry.type(description="Something that the shop sells, in one or more variants.")
class Product(ProductExtras, Node):
    """A product as a buyer sees it."""

    slug: str = strawberry.field(description="Its name in addresses.")
    tags: list[str]
    created_at: datetime
    stored_form: strawberry.Private[str | None]
    loaders: strawberry.Private[Loaders]
    lowest: strawberry.Private[Money | UnsetType | None] = UNSET
    pieces: strawberry.Private[int | None] = None
    offered: strawberry.Private[list[Variant] | None] = None

    @strawberry.field(description="What its buyer has to fill in; an order states the answers.")
    def form(self, info: Info) -> list[FormField]:
        """The fields of its form, in their order."""
        return [FormField.of(field, info.context.locale) for field in read_form(self.stored_form)]

    @strawberry.field(description="The shelf it stands on.")
    async def category(self, info: Info) -> Category | None:
        """From the tree, which a request reads once."""
        return await self.loaders.category(self.category_key)

    @strawberry.field(
        graphql_type=list[Variant], description="What can be bought of it, in the shop's order."
    )
    def variants(self, info: Info) -> Ahead[list[Variant]]:
        """Those of several products are read together."""
        if self.offered is None:
            return self.loaders.variants_of(selection_of(info)).load(self.key)
        return self.offered

    @strawberry.field(
        graphql_type=Money | None,
        description="The lowest price among its variants, for you; null if none is for sale.",
    )
    def price_from(self) -> Ahead[Money | None]:
        """By the rule that makes the variants' prices."""
        return self.loaders.lowest.load(self.key) if self.lowest is UNSET else self.lowest

    @strawberry.field(graphql_type=StockState, description="The best stock state among its variants.")
    def stock_state(self) -> Ahead[StockState]:
        """In stock if any variant is."""
        loaders = self.loaders
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


def product_of(row: Mapping[str, Any], offered: Sequence[str], loaders: Loaders) -> Product:
    """The product in a row of `columns.product_columns`: it has what was asked for, and nothing else.

    Args:
        row: the row.
        offered: the names of what its column ``offered`` tells of each variant, if it has one.
        loaders: the request's.
    """
    found = dict(row.items())
    found["id"] = global_id("Product", found["key"])
    found["loaders"] = loaders
    units = found.get("lowest")
    if units is not None:
        found["lowest"] = price_shown(units, loaders.currency)
    if offered:
        found["offered"] = [
            variant_of(dict(zip(offered, variant, strict=True)), loaders) for variant in found["offered"]
        ]
    return object_of(Product, found)


def variant_of(found: dict[str, Any], loaders: Loaders) -> Variant:
    """The variant with these attributes: it has what was asked for, and nothing else."""
    found["id"] = global_id("Variant", found["key"])
    found["loaders"] = loaders
    units = found.get("unit")
    if units is not None:
        found["unit"] = price_shown(units, loaders.currency)
    return object_of(Variant, found)
