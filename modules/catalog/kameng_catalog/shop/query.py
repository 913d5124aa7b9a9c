"""The shop's root fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Connection, Info, selection_of
from kameng.graphql.pages import PageRequest
from kameng.ids import key_of
from kameng_catalog.shop.columns import product_columns
from kameng_catalog.shop.listing import AttributeFilter, PriceRange, filter_of, list_products
from kameng_catalog.shop.loaders import WHOLE_PRODUCT, WHOLE_VARIANT, shop_loaders
from kameng_catalog.shop.ordering import ProductSort
from kameng_catalog.shop.reading import shop_reader
from kameng_catalog.shop.types import Category, Product

if TYPE_CHECKING:
    from kameng.graphql import Context


@strawberry.type
class CatalogShopQuery:
    """What buyers read of the catalogue."""

    @strawberry.field(description="What the shop sells, page by page.")
    async def products(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        category: str | None = None,
        search: str | None = None,
        sort: ProductSort = ProductSort.ARRANGED,
        price: PriceRange | None = None,
        tags: list[str] | None = None,
        attributes: list[AttributeFilter] | None = None,
        in_stock: bool = False,
    ) -> Connection[Product]:
        """Published products of a category and all below it, that have all that is asked for."""
        page = PageRequest.of(first, after, last, before)
        asked = selection_of(info).below("nodes", "edges.node")
        settings = shop_reader(info.context).settings
        wanted = filter_of(
            category=category,
            search=search,
            tags=tags,
            price=price,
            attributes=attributes,
            currency=settings.currency,
            in_stock=settings.time_zone if in_stock else "",
        )
        return await list_products(info.context, page, asked, wanted, sort)

    @strawberry.field(description="A product by its id or its slug; null if the shop does not sell it.")
    async def product(
        self,
        info: Info,
        id: strawberry.ID | None = None,  # noqa: A002 - GraphQL names the argument
        slug: str | None = None,
    ) -> Product | None:
        """One product."""
        if (id is None) == (slug is None):
            raise InvalidInput(
                "A product is asked for by its id or by its slug.", cure="Give one of the two."
            )
        asked = selection_of(info)
        if id is not None:
            return await shop_loaders(info.context).product(asked).load(key_of("Product", id))
        columns, reader = product_columns(asked), shop_reader(info.context)
        rows = await reader.product_rows("catalog.shop_product", columns, f"p.slug = ${columns.free}", [slug])
        found = await reader.products(rows, columns, asked)
        return found[0] if found else None

    @strawberry.field(description="The category tree from its roots.")
    async def categories(self, info: Info) -> list[Category]:
        """The roots; their children hang below them."""
        return (await shop_loaders(info.context).category_tree()).below(None)

    @strawberry.field(description="A category by its path, such as `game/pc`.")
    async def category(self, info: Info, path: str) -> Category | None:
        """One category."""
        tree = await shop_loaders(info.context).category_tree()
        return next((category for category in tree.by_key.values() if category.path == path), None)


async def product_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Products by key, for ``node(id:)``."""
    return await shop_loaders(context).product(WHOLE_PRODUCT).load_many(keys)


async def variant_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Variants by key, for ``node(id:)``."""
    return await shop_loaders(context).variant(WHOLE_VARIANT).load_many(keys)


async def category_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Categories by key, for ``node(id:)``."""
    tree = await shop_loaders(context).category_tree()
    return [tree.by_key.get(key) for key in keys]
