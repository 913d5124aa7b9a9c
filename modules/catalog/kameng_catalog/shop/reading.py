"""Reading products and variants for a document: one statement for each kind of thing, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.db import Statement
from kameng.graphql import Selection
from kameng_catalog.contract import RETAIL, PriceTiers, Sites, Stock
from kameng_catalog.for_sale import for_sale_sql
from kameng_catalog.settings import CatalogSettings
from kameng_catalog.shop.columns import Columns, Viewer, variant_columns
from kameng_catalog.shop.types import Product, Variant, product_of, variant_of
from kameng_catalog.stock_statements import MOST_OF_PRODUCTS

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng_catalog.shop.loaders import ShopLoaders

FOR_SALE = for_sale_sql("p")
"""Products that are for sale, to the second."""

LISTED = "p.status = 'published'"
"""Products that are for sale as lists know it, which learn of publish windows on a schedule."""


class ShopReader:
    """Reads for one request.

    Args:
        context: the request.
        loaders: what the objects turn to for things that were not read ahead.

    Attributes:
        settings: the catalogue's settings.
    """

    def __init__(self, context: Context, loaders: ShopLoaders) -> None:
        self._context = context
        self._loaders = loaders
        self.settings = context.kernel.settings.section("catalog", CatalogSettings)
        # So many pieces are counted at most: enough for what the shop tells.
        self._enough = max(self.settings.available_cap, self.settings.low_stock)
        self._viewer: Viewer | None = None

    async def viewer(self) -> Viewer:
        """Whom prices and texts are for, asked for once."""
        if self._viewer is None:
            tiers = self._context.kernel.services.find(PriceTiers)
            tier = RETAIL if tiers is None else await tiers.tier_of(self._context.principal)
            site = self._context.service(Sites).site_of(self._context.host)
            self._viewer = Viewer(self._context.locale, self.settings.currency, tier, site)
        return self._viewer

    async def product_rows(
        self,
        name: str,
        columns: Columns,
        where: str,
        values: Sequence[Any],
        tail: str = "",
        *,
        sold: str = FOR_SALE,
    ) -> list[Any]:
        """Rows of products ``p`` that are for sale.

        Args:
            name: the statement's name.
            columns: what to read of them.
            where: a condition; its parameters begin with ``columns.free``.
            values: of these parameters.
            tail: what follows the condition.
            sold: what is for sale: to the second, or by the status that lists go by.
        """
        own = columns.values(await self.viewer())
        sql = f"select {columns.sql} from catalog_product p where {sold} and {where} {tail}"
        return await self._context.db.fetch(Statement(name, sql), *own, *values)

    async def products(self, rows: Sequence[Any], columns: Columns, asked: Selection) -> list[Product]:
        """The products in rows, with all that is asked below them.

        Args:
            rows: as `product_rows` gave them.
            columns: what was read.
            asked: what is asked of the products.
        """
        loaders = self._loaders
        products = [product_of(row, columns.offered, loaders) for row in rows]
        if products and columns.offered:
            offered = [variant for product in products for variant in product.offered or ()]
            await self._count(offered, asked.below("variants"))
        if products and "stockState" in asked:
            counts = await self.most([product.key for product in products])
            for product, pieces in zip(products, counts, strict=True):
                product.pieces = pieces
        return products

    async def variants(self, where: str, keys: Sequence[UUID], asked: Selection) -> list[Variant]:
        """Published variants ``v``, with all that is asked below them.

        Args:
            where: the condition and what follows it, with ``{keys}`` for the keys.
            keys: of variants or products.
            asked: what is asked of them.
        """
        columns = variant_columns(asked)
        own = columns.values(await self.viewer())
        where = where.format(keys=f"${columns.free}::uuid[]")
        sql = f"select {columns.sql} from catalog_variant v where v.status = 'published' and {where}"
        rows = await self._context.db.fetch(Statement("catalog.shop_variants", sql), *own, keys)
        variants = [variant_of(dict(row.items()), self._loaders) for row in rows]
        await self._count(variants, asked)
        return variants

    async def variants_of(self, products: Sequence[UUID], asked: Selection) -> list[list[Variant]]:
        """The variants of each product, in the shop's order."""
        variants = await self.variants(
            "v.product = any({keys}) order by v.product, v.position, v.id", products, asked
        )
        found = {key: list(group) for key, group in groupby(variants, attrgetter("product_key"))}
        return [found.get(key, []) for key in products]

    async def pieces(self, variants: Sequence[UUID]) -> list[int]:
        """How many pieces of each variant there are, up to what the shop tells."""
        counts = await self._context.service(Stock).available(variants, self._enough)
        return [counts[key] for key in variants]

    async def most(self, products: Sequence[UUID]) -> list[int]:
        """How many pieces there are of each product's variant that has most."""
        rows = await self._context.db.fetch(MOST_OF_PRODUCTS, products, self._enough, self.settings.time_zone)
        found = {row["product"]: row["most"] for row in rows}
        return [found.get(key, 0) for key in products]

    async def _count(self, variants: Sequence[Variant], asked: Selection) -> None:
        if variants and ("stockState" in asked or "available" in asked):
            counts = await self.pieces([variant.key for variant in variants])
            for variant, pieces in zip(variants, counts, strict=True):
                variant.pieces = pieces


def shop_reader(context: Context) -> ShopReader:
    """The reader of a request."""
    from kameng_catalog.shop.loaders import shop_loaders  # the loaders are made of the reader

    return shop_loaders(context).reader
