"""Making products and variants one by one: as drafts, which nobody buys until somebody publishes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng_catalog.editing import currency_of, record
from kameng_catalog.listings import lock_products, refresh_products
from kameng_catalog.price_writing import Author, note_costs

if TYPE_CHECKING:
    from kameng.graphql import Context


async def create_product(context: Context, slug: str, category: str, titles: Mapping[str, str]) -> UUID:
    """Make a product without variants; gives its key.

    Args:
        context: the request.
        slug: its name in addresses.
        category: the path of its category.
        titles: by locale.

    Raises:
        NotFound: there is no such category.
        Conflict: there is such a product already.
        InvalidInput: it has no title.
    """
    async with context.db.transaction():
        shelf = await context.db.fetchval(
            "select id from catalog_category where path = $1 for key share", category
        )
        if shelf is None:
            raise NotFound(f"There is no category {category[:100]!r}.", path=("input", "category"))
        key = await context.db.fetchval(
            """
            insert into catalog_product (id, slug, category, titles, status, created_at, updated_at)
            values ($1, $2, $3, $4::jsonb, 'draft', now(), now())
            on conflict (slug) do nothing returning id
            """,
            new_id(),
            slug,
            shelf,
            _titles(titles),
        )
        if key is None:
            raise Conflict(
                f"There is a product {slug!r} already.", cure="Take another slug.", path=("input", "slug")
            )
        await refresh_products(context.db, [key], currency_of(context))
        await record(context, "catalog.product_created", f"product:{key}", {"slug": slug})
        created: UUID = key
        return created


async def create_variant(
    context: Context, product: UUID, sku: str, titles: Mapping[str, str], values: Mapping[str, Any]
) -> UUID:
    """Make a variant behind those that the product has; gives its key.

    Args:
        context: the request.
        product: its product.
        sku: the operator's own number.
        titles: by locale.
        values: ``stock_kind``, ``face_minor``, ``face_currency``, ``cost_units``, ``cost_currency``, ``min_quantity`` and
            ``max_quantity``.

    Raises:
        NotFound: there is no such product.
        Conflict: there is such a variant already.
        InvalidInput: it has no title, or its least quantity is above its most.
    """
    if values["min_quantity"] > values["max_quantity"]:
        raise InvalidInput(
            "The least quantity is above the most.", cure="Change both.", path=("input", "maxQuantity")
        )
    async with context.db.transaction():
        if not await lock_products(context.db, [product]):
            raise NotFound("There is no such product.", path=("input", "product"))
        key = new_id()
        author = Author(key=context.principal.key, source="admin")
        made = await context.db.fetchval(
            """
            insert into catalog_variant (id, product, sku, titles, stock_kind, face_minor, face_currency, cost_units,
                cost_currency, min_quantity, max_quantity, position, status, created_at, updated_at)
            select $1, $2, $3, $4::jsonb, $5, $6, $7, null, null, $8, $9, coalesce(max(position) + 1, 0), 'draft', now(), now()
            from catalog_variant where product = $2
            on conflict (sku) do nothing returning id
            """,
            key,
            product,
            sku,
            _titles(titles),
            values["stock_kind"],
            values["face_minor"],
            values["face_currency"],
            values["min_quantity"],
            values["max_quantity"],
        )
        if made is None:
            raise Conflict(
                f"There is a variant {sku!r} already.", cure="Take another SKU.", path=("input", "sku")
            )
        if values["cost_units"] is not None:
            await note_costs(context.db, [{"id": key, **values}], author)
            await context.db.execute(
                "update catalog_variant set cost_units = $2, cost_currency = $3 where id = $1",
                key,
                values["cost_units"],
                values["cost_currency"],
            )
        await refresh_products(context.db, [product], currency_of(context))
        await record(context, "catalog.variant_created", f"variant:{key}", {"sku": sku})
        return key


def _titles(titles: Mapping[str, str]) -> str:
    given = {locale: text for locale, text in titles.items() if text}
    if not given:
        raise InvalidInput("It needs a title.", cure="Give it one.", path=("input", "titles"))
    return orjson.dumps(given).decode()
