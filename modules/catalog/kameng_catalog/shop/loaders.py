"""What a request of the shop reads, each kind of thing in one statement however many of it are asked for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from kameng.graphql import Money, Selection
from kameng_catalog.attributes.definitions import Definitions, read_definitions
from kameng_catalog.contract import Prices, PriceStep, Quote, QuoteRequest
from kameng_catalog.media.stores import Media
from kameng_catalog.pricing import LADDERS
from kameng_catalog.shop import statements
from kameng_catalog.shop.columns import EVERY_PRODUCT_FIELD, EVERY_VARIANT_FIELD, product_columns
from kameng_catalog.shop.product_fields import Picture, picture_of
from kameng_catalog.shop.reading import FOR_SALE, ShopReader
from kameng_catalog.shop.types import Category, Product, StockState, Variant, category_of, state_of

if TYPE_CHECKING:
    from kameng.graphql import Context

T = TypeVar("T")

WHOLE_PRODUCT = Selection.named(*EVERY_PRODUCT_FIELD)
"""All that a product's own row tells, and its lowest price."""

WHOLE_VARIANT = Selection.named(*EVERY_VARIANT_FIELD)
"""All that a variant's own row tells, and its price."""

_LOWEST = Selection.named("priceFrom")
_PRICE = Selection.named("price")

_FOR_SALE = (
    f"v.id = any({{keys}}) and exists (select from catalog_product p where p.id = v.product and {FOR_SALE})"
)


@dataclass(frozen=True, slots=True)
class LadderStep:
    """What one piece costs from a quantity on, in ten-thousandths of the currency's main unit."""

    from_quantity: int
    units: int


@dataclass(frozen=True, slots=True)
class CategoryTree:
    """All categories.

    Attributes:
        by_key: every category by its key.
        children: the keys below each; the roots below None.
    """

    by_key: Mapping[UUID, Category]
    children: Mapping[UUID | None, Sequence[UUID]]

    def below(self, key: UUID | None) -> list[Category]:
        """The categories that lie in one, or the roots."""
        return [self.by_key[child] for child in self.children.get(key, ())]


class ShopLoaders:
    """The loaders of one request.

    Attributes:
        reader: reads what documents ask for.
        settings: the catalogue's settings.
        currency: the currency that prices are shown in.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.reader = ShopReader(context, self)
        self.settings = self.reader.settings
        self.currency = self.settings.currency
        self._products: dict[Selection, DataLoader[UUID, Product | None]] = {}
        self._variants: dict[Selection, DataLoader[UUID, Variant | None]] = {}
        self._offers: dict[Selection, DataLoader[UUID, list[Variant]]] = {}
        self._tree: asyncio.Future[CategoryTree] | None = None
        self._definitions: asyncio.Future[Definitions] | None = None

    # Each is made when it is needed first: most documents read all that they ask for ahead.

    @cached_property
    def lowest(self) -> DataLoader[UUID, Money | None]:
        """The lowest price of a product's variants, for the viewer; None if none is for sale to him."""
        return DataLoader(self._lowest)

    @cached_property
    def ladder(self) -> DataLoader[UUID, list[LadderStep]]:
        """What the viewer pays for each quantity of a variant."""
        return DataLoader(self._ladders)

    @cached_property
    def trace(self) -> DataLoader[tuple[UUID, int], Sequence[PriceStep]]:
        """Why the viewer pays what he pays for so many of a variant; nothing if it is not for sale to him."""
        return DataLoader(self._traces)

    @cached_property
    def media(self) -> DataLoader[UUID, list[Picture]]:
        """The pictures of a product, in the shop's order."""
        return DataLoader(self._media)

    @cached_property
    def _prices(self) -> DataLoader[UUID, Money | None]:
        return DataLoader(self._quotes)

    @cached_property
    def _pieces(self) -> DataLoader[UUID, int]:
        return DataLoader(self.reader.pieces)

    @cached_property
    def _most(self) -> DataLoader[UUID, int]:
        return DataLoader(self.reader.most)

    def product(self, asked: Selection) -> DataLoader[UUID, Product | None]:
        """Published products by key, with what is asked of them; None where there is none."""

        async def load(keys: list[UUID]) -> list[Product | None]:
            columns = product_columns(asked)
            where = f"p.id = any(${columns.free}::uuid[])"
            rows = await self.reader.product_rows("catalog.shop_products_by_key", columns, where, [keys])
            found = {product.key: product for product in await self.reader.products(rows, columns, asked)}
            return [found.get(key) for key in keys]

        return _kept(self._products, asked, load)

    def variant(self, asked: Selection) -> DataLoader[UUID, Variant | None]:
        """Published variants of published products by key, with what is asked of them; None where there is none."""

        async def load(keys: list[UUID]) -> list[Variant | None]:
            found = {variant.key: variant for variant in await self.reader.variants(_FOR_SALE, keys, asked)}
            return [found.get(key) for key in keys]

        return _kept(self._variants, asked, load)

    def variants_of(self, asked: Selection) -> DataLoader[UUID, list[Variant]]:
        """The published variants of a product, with what is asked of them."""

        async def load(keys: list[UUID]) -> list[list[Variant]]:
            return await self.reader.variants_of(keys, asked)

        return _kept(self._offers, asked, load)

    async def price(self, variant: UUID) -> Money | None:
        """What the viewer pays for one if he buys the least he may; None if it is not for sale to him."""
        return await self._prices.load(variant)

    async def stock_state(self, variant: UUID) -> StockState:
        """How much there is of a variant."""
        return state_of(await self._pieces.load(variant), self.settings)

    async def shown_stock(self, variant: UUID) -> int:
        """How many pieces of a variant there are, up to what the shop tells."""
        return min(await self._pieces.load(variant), self.settings.available_cap)

    async def best_state(self, product: UUID) -> StockState:
        """How much there is of the product's variant that has most."""
        return state_of(await self._most.load(product), self.settings)

    async def category(self, key: UUID) -> Category | None:
        """A category by key."""
        return (await self.category_tree()).by_key.get(key)

    async def category_tree(self) -> CategoryTree:
        """All categories, read once."""
        if self._tree is None:
            self._tree = asyncio.ensure_future(self._read_tree())
        return await self._tree

    async def definitions(self) -> Definitions:
        """All definitions of attributes, read once."""
        if self._definitions is None:
            self._definitions = asyncio.ensure_future(read_definitions(self._context.db))
        return await self._definitions

    async def _read_tree(self) -> CategoryTree:
        rows = await self._context.db.fetch(statements.CATEGORIES, self._context.locale)
        children: dict[UUID | None, list[UUID]] = defaultdict(list)
        for row in rows:
            children[row["parent"]].append(row["id"])
        return CategoryTree({row["id"]: category_of(row) for row in rows}, children)

    async def _media(self, keys: list[UUID]) -> list[list[Picture]]:
        media = self._context.service(Media)
        rows = await self._context.db.fetch(statements.MEDIA, keys)
        found = {
            key: [picture_of(row, media) for row in group]
            for key, group in groupby(rows, itemgetter("product"))
        }
        return [found.get(key, []) for key in keys]

    async def _lowest(self, keys: list[UUID]) -> list[Money | None]:
        products = await self.product(_LOWEST).load_many(keys)
        return [None if product is None else product.lowest or None for product in products]

    async def _quotes(self, keys: list[UUID]) -> list[Money | None]:
        variants = await self.variant(_PRICE).load_many(keys)
        return [None if variant is None else variant.unit or None for variant in variants]

    async def _traces(self, wanted: list[tuple[UUID, int]]) -> list[Sequence[PriceStep]]:
        viewer = await self.reader.viewer()
        quotes = await self._context.service(Prices).quote(
            [
                QuoteRequest(
                    variant=variant,
                    quantity=quantity,
                    tier=viewer.tier,
                    currency=viewer.currency,
                    site=viewer.site,
                )
                for variant, quantity in wanted
            ]
        )
        return [quote.trace if isinstance(quote, Quote) else () for quote in quotes]

    async def _ladders(self, keys: list[UUID]) -> list[list[LadderStep]]:
        viewer = await self.reader.viewer()
        rows = await self._context.db.fetch(LADDERS, keys, viewer.currency, viewer.tier, viewer.site)
        found = {
            key: _ladder(list(group), viewer.tier) for key, group in groupby(rows, itemgetter("variant"))
        }
        return [found.get(key, []) for key in keys]


def _kept(
    loaders: dict[Selection, DataLoader[UUID, T]],
    asked: Selection,
    load: Callable[[list[UUID]], Awaitable[list[T]]],
) -> DataLoader[UUID, T]:
    loader = loaders.get(asked)
    if loader is None:
        loader = loaders[asked] = DataLoader(load)
    return loader


def _ladder(rows: Sequence[Any], tier: str) -> list[LadderStep]:
    """What decides for each quantity, by the rules of `pricing`: a step wherever another price does."""
    steps: list[LadderStep] = []
    best: Any = None
    for row in rows:
        if best is None or _precedence(row, tier) > _precedence(best, tier):
            best = row
            if steps and steps[-1].from_quantity == row["min_quantity"]:
                steps.pop()
            steps.append(LadderStep(row["min_quantity"], row["units"]))
    return steps


def _precedence(row: Any, tier: str) -> tuple[bool, bool, float, int]:
    """How early a price comes by the rules; the larger the earlier."""
    began = row["starts_at"].timestamp() if row["starts_at"] else float("-inf")
    return bool(row["site"]), row["tier"] == tier, began, row["min_quantity"]


def shop_loaders(context: Context) -> ShopLoaders:
    """The loaders of a request."""
    return context.loader(ShopLoaders, ShopLoaders)
