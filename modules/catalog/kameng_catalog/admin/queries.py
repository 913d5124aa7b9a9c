"""The back office's root fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import strawberry

from kameng.db import Statement
from kameng.errors import InvalidInput
from kameng.graphql import Connection, Info
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import key_of
from kameng_catalog.admin import statements
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.stock_lists import list_batches
from kameng_catalog.admin.types import (
    ManagedProduct,
    ManagedVariant,
    Status,
    StockBatch,
    product_of,
    variant_of,
)
from kameng_catalog.permissions import READ_PRODUCTS
from kameng_catalog.searching import asked_terms
from kameng_catalog.shop.types import Category, loaders_of

if TYPE_CHECKING:
    from kameng.graphql import Context

T = TypeVar("T")

NEWEST = Keyset("managed-products", (("p.id", "uuid"),), descending=True)
BY_SKU = Keyset("managed-variants", (("v.sku", "text"),))


@strawberry.type
class CatalogAdminQuery:
    """What the staff reads of the catalogue."""

    @strawberry.field(description="Products, the newest first; with `search`, those that have all its words.")
    async def products(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        search: str | None = None,
        status: Status | None = None,
    ) -> Connection[ManagedProduct]:
        """A page of products."""
        info.context.require(READ_PRODUCTS)
        page = PageRequest.of(first, after, last, before)
        wanted: list[Any] = []
        conditions = []
        if status is not None:
            wanted.append(status.value)
            conditions.append(f"p.status = ${len(wanted)}")
        if search is not None and (terms := asked_terms(search)):
            wanted.append(terms)
            conditions.append(f"p.search_terms @> ${len(wanted)}::text[]")
        behind, tail, cursor = page.clauses(NEWEST, len(wanted) + 1)
        where = " and ".join([*conditions, behind])
        sql = f"select {statements.PRODUCT_COLUMNS} from catalog_product p where {where} {tail}"
        rows = await info.context.db.fetch(Statement("catalog.list_managed_products", sql), *wanted, *cursor)
        return page.connection(rows, NEWEST, lambda row: [row["id"]], product_of)

    @strawberry.field(description="A product by its id or its slug.")
    async def product(
        self,
        info: Info,
        id: strawberry.ID | None = None,  # noqa: A002 - GraphQL names the argument
        slug: str | None = None,
    ) -> ManagedProduct | None:
        """One product."""
        info.context.require(READ_PRODUCTS)
        if id is not None and slug is None:
            return await admin_loaders(info.context).product.load(key_of("Product", id))
        return await _by_name(
            info.context, statements.PRODUCT_BY_SLUG, slug if id is None else None, product_of
        )

    @strawberry.field(description="Variants by SKU; with `sku`, those whose SKU begins so.")
    async def variants(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        sku: str = "",
    ) -> Connection[ManagedVariant]:
        """A page of variants."""
        info.context.require(READ_PRODUCTS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(BY_SKU, 2)
        where = f"starts_with(v.sku, $1) and {behind}"
        sql = f"select {statements.VARIANT_COLUMNS} from catalog_variant v where {where} {tail}"
        rows = await info.context.db.fetch(Statement("catalog.list_managed_variants", sql), sku, *cursor)
        return page.connection(rows, BY_SKU, lambda row: [row["sku"]], variant_of)

    @strawberry.field(description="A variant by its id or its SKU.")
    async def variant(
        self,
        info: Info,
        id: strawberry.ID | None = None,  # noqa: A002 - GraphQL names the argument
        sku: str | None = None,
    ) -> ManagedVariant | None:
        """One variant."""
        info.context.require(READ_PRODUCTS)
        if id is not None and sku is None:
            return await admin_loaders(info.context).variant.load(key_of("Variant", id))
        return await _by_name(
            info.context, statements.VARIANT_BY_SKU, sku if id is None else None, variant_of
        )

    @strawberry.field(description="The category tree from its roots.")
    async def categories(self, info: Info) -> list[Category]:
        """The roots; their children hang below them."""
        info.context.require(READ_PRODUCTS)
        return (await loaders_of(info).category_tree()).below(None)

    @strawberry.field(description="Batches of cards, the newest first.")
    async def stock_batches(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[StockBatch]:
        """A page of batches."""
        info.context.require(READ_PRODUCTS)
        return await list_batches(info.context, PageRequest.of(first, after, last, before))

    @strawberry.field(description="A batch of cards.")
    async def stock_batch(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL names the argument
    ) -> StockBatch | None:
        """One batch."""
        info.context.require(READ_PRODUCTS)
        return await admin_loaders(info.context).batch.load(key_of("StockBatch", id))


async def _by_name(
    context: Context, statement: Statement, name: str | None, make: Callable[[Any], T]
) -> T | None:
    if name is None:
        raise InvalidInput("It is asked for by its id or by its name.", cure="Give one of the two.")
    row = await context.db.fetchrow(statement, name)
    return None if row is None else make(row)


def _may_read(context: Context) -> bool:
    return context.principal.may(READ_PRODUCTS.name)


async def product_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Products by key, for ``node(id:)``."""
    return await admin_loaders(context).product.load_many(keys) if _may_read(context) else [None] * len(keys)


async def variant_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Variants by key, for ``node(id:)``."""
    return await admin_loaders(context).variant.load_many(keys) if _may_read(context) else [None] * len(keys)


async def batch_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Batches by key, for ``node(id:)``."""
    return await admin_loaders(context).batch.load_many(keys) if _may_read(context) else [None] * len(keys)


async def card_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Cards by key, for ``node(id:)``."""
    numbers = [number_of(key) for key in keys]
    return await admin_loaders(context).card.load_many(numbers) if _may_read(context) else [None] * len(keys)


def number_of(key: UUID) -> int:
    """A card's number from the key in its global id; 0, which no card has, for one that is none of ours."""
    return key.int if key.int < 2**63 else 0
