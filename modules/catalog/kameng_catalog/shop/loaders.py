"""What a request of the shop reads, each kind of thing in one statement however many of it are asked for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from kameng.money import UnitPrice
from kameng_catalog.contract import RETAIL, Prices, PriceTiers, Quote, QuoteRequest, Stock
from kameng_catalog.pricing import PRICE_FROM
from kameng_catalog.settings import CatalogSettings
from kameng_catalog.shop import statements
from kameng_catalog.shop.types import Category, Product, Variant, category_of, product_of, variant_of
from kameng_catalog.stock_statements import MOST_OF_PRODUCTS

if TYPE_CHECKING:
    from kameng.db import Statement
    from kameng.graphql import Context

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LadderStep:
    """What one piece costs from a quantity on."""

    from_quantity: int
    unit: UnitPrice


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
        settings: the catalogue's settings.
        product, variant: what is published, by key; None where it is not, or does not exist.
        variants_of: the published variants of a product.
        price_from: the lowest price of a product's variants, for the viewer; None if none is for sale to him.
        most: how many pieces there are of the product's variant that has most.
        quote: what the viewer pays, by variant and quantity; None if it is not for sale to him.
        ladder: what the viewer pays for each quantity of a variant.
        available: how many pieces of a variant there are, up to what the shop tells.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.settings = context.kernel.settings.section("catalog", CatalogSettings)
        self.product: DataLoader[UUID, Product | None] = DataLoader(self._products)
        self.variant: DataLoader[UUID, Variant | None] = DataLoader(self._variants)
        self.variants_of: DataLoader[UUID, list[Variant]] = DataLoader(self._variants_of)
        self.price_from: DataLoader[UUID, UnitPrice | None] = DataLoader(self._prices_from)
        self.most: DataLoader[UUID, int] = DataLoader(self._most)
        self.quote: DataLoader[tuple[UUID, int], Quote | None] = DataLoader(self._quotes)
        self.ladder: DataLoader[UUID, list[LadderStep]] = DataLoader(self._ladders)
        self.available: DataLoader[UUID, int] = DataLoader(self._available)
        self._enough = max(self.settings.available_cap, self.settings.low_stock)
        self._tier: asyncio.Future[str] | None = None
        self._tree: asyncio.Future[CategoryTree] | None = None

    async def tier(self) -> str:
        """The viewer's price tier, asked for once."""
        if self._tier is None:
            self._tier = asyncio.ensure_future(self._read_tier())
        return await self._tier

    async def category_tree(self) -> CategoryTree:
        """All categories, read once."""
        if self._tree is None:
            self._tree = asyncio.ensure_future(self._read_tree())
        return await self._tree

    async def _read_tier(self) -> str:
        tiers = self._context.kernel.services.find(PriceTiers)
        return RETAIL if tiers is None else await tiers.tier_of(self._context.principal)

    async def _read_tree(self) -> CategoryTree:
        rows = await self._context.db.fetch(statements.CATEGORIES, self._context.locale)
        children: dict[UUID | None, list[UUID]] = defaultdict(list)
        for row in rows:
            children[row["parent"]].append(row["id"])
        return CategoryTree({row["id"]: category_of(row) for row in rows}, children)

    async def _by_key(
        self, statement: Statement, make: Callable[[Any], T], keys: Sequence[UUID]
    ) -> list[T | None]:
        rows = await self._context.db.fetch(statement, self._context.locale, list(keys))
        found = {row["id"]: make(row) for row in rows}
        return [found.get(key) for key in keys]

    async def _products(self, keys: list[UUID]) -> Sequence[Product | None]:
        return await self._by_key(statements.PRODUCTS_BY_KEY, product_of, keys)

    async def _variants(self, keys: list[UUID]) -> Sequence[Variant | None]:
        return await self._by_key(statements.VARIANTS_BY_KEY, variant_of, keys)

    async def _variants_of(self, keys: list[UUID]) -> list[list[Variant]]:
        rows = await self._context.db.fetch(statements.VARIANTS_OF_PRODUCTS, self._context.locale, keys)
        found = {
            key: [variant_of(row) for row in group] for key, group in groupby(rows, itemgetter("product"))
        }
        return [found.get(key, []) for key in keys]

    async def _prices_from(self, keys: list[UUID]) -> list[UnitPrice | None]:
        tier, currency = await self.tier(), self.settings.currency
        rows = await self._context.db.fetch(PRICE_FROM, keys, currency, tier)
        found = {row["product"]: UnitPrice(row["units"], currency) for row in rows}
        return [found.get(key) for key in keys]

    async def _most(self, keys: list[UUID]) -> list[int]:
        rows = await self._context.db.fetch(MOST_OF_PRODUCTS, keys, self._enough, self.settings.time_zone)
        found = {row["product"]: row["most"] for row in rows}
        return [found.get(key, 0) for key in keys]

    async def _quotes(self, keys: list[tuple[UUID, int]]) -> list[Quote | None]:
        tier, currency = await self.tier(), self.settings.currency
        answers = await self._context.service(Prices).quote(
            [
                QuoteRequest(variant=variant, quantity=quantity, tier=tier, currency=currency)
                for variant, quantity in keys
            ]
        )
        # A loader would raise what is an exception; to a list it is just no price.
        return [answer if isinstance(answer, Quote) else None for answer in answers]

    async def _ladders(self, keys: list[UUID]) -> list[list[LadderStep]]:
        tier, currency = await self.tier(), self.settings.currency
        rows = await self._context.db.fetch(statements.PRICE_LADDERS, keys, currency, tier)
        found = {
            key: _ladder(list(group), tier, currency) for key, group in groupby(rows, itemgetter("variant"))
        }
        return [found.get(key, []) for key in keys]

    async def _available(self, keys: list[UUID]) -> list[int]:
        counts = await self._context.service(Stock).available(keys, self._enough)
        return [counts[key] for key in keys]


def _ladder(rows: Sequence[Any], tier: str, currency: str) -> list[LadderStep]:
    """The same rule as `pricing.QUOTE`: the own tier goes first where it has a step for the quantity."""
    own_from = min((row["min_quantity"] for row in rows if row["tier"] == tier), default=None)
    return [
        LadderStep(row["min_quantity"], UnitPrice(row["units"], currency))
        for row in rows
        if row["tier"] == tier or own_from is None or row["min_quantity"] < own_from
    ]


def shop_loaders(context: Context) -> ShopLoaders:
    """The loaders of a request."""
    return context.loader(ShopLoaders, ShopLoaders)
