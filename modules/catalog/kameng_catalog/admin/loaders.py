"""What a request of the back office reads, each kind of thing in one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from kameng_catalog.admin import statements
from kameng_catalog.admin.price_types import VariantPrice, price_of
from kameng_catalog.admin.product_fields import ManagedPicture, picture_of
from kameng_catalog.admin.types import (
    Card,
    ManagedProduct,
    ManagedVariant,
    StockBatch,
    batch_of,
    card_of,
    product_of,
    variant_of,
)
from kameng_catalog.contract import Stock
from kameng_catalog.media.stores import Media
from kameng_catalog.shop.statements import MEDIA

if TYPE_CHECKING:
    from kameng.db import Statement
    from kameng.graphql import Context

T = TypeVar("T")

COUNTED = 100_000
"""Pieces of a variant that are counted at most."""


class AdminLoaders:
    """The loaders of one request.

    Attributes:
        product, variant, batch: by key; None where there is none.
        card: by number.
        variants_of, media, prices, available: of a product or variant.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.product: DataLoader[UUID, ManagedProduct | None] = self._one(statements.PRODUCTS, product_of)
        self.variant: DataLoader[UUID, ManagedVariant | None] = self._one(statements.VARIANTS, variant_of)
        self.batch: DataLoader[UUID, StockBatch | None] = self._one(statements.BATCHES, batch_of)
        self.card: DataLoader[int, Card | None] = self._one(statements.CARDS, card_of)
        self.variants_of: DataLoader[UUID, list[ManagedVariant]] = self._many(
            statements.VARIANTS_OF_PRODUCTS, "product", variant_of
        )
        self.prices: DataLoader[UUID, list[VariantPrice]] = self._many(statements.PRICES, "variant", price_of)
        self.media: DataLoader[UUID, list[ManagedPicture]] = self._many(
            MEDIA, "product", partial(picture_of, media=context.service(Media))
        )
        self.available: DataLoader[UUID, int] = DataLoader(self._available)

    def _one(self, statement: Statement, make: Callable[[Any], T]) -> DataLoader[Any, T | None]:
        async def load(keys: list[Any]) -> list[T | None]:
            found = {row["id"]: make(row) for row in await self._context.db.fetch(statement, keys)}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    def _many(self, statement: Statement, owner: str, make: Callable[[Any], T]) -> DataLoader[UUID, list[T]]:
        async def load(keys: list[UUID]) -> list[list[T]]:
            rows = await self._context.db.fetch(statement, keys)
            found = {key: [make(row) for row in group] for key, group in groupby(rows, itemgetter(owner))}
            return [found.get(key, []) for key in keys]

        return DataLoader(load)

    async def _available(self, keys: Sequence[UUID]) -> list[int]:
        counts = await self._context.service(Stock).available(keys, COUNTED)
        return [counts[key] for key in keys]


def admin_loaders(context: Context) -> AdminLoaders:
    """The loaders of a request."""
    return context.loader(AdminLoaders, AdminLoaders)
