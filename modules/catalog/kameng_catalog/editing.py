"""Changing products, variants, categories and prices: each change in one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import orjson
from piccolo.columns import Column

from kameng.errors import Conflict, InvalidInput, NotFound, Refusal
from kameng_catalog.forms import Form
from kameng_catalog.listings import lock_products, refresh_products
from kameng_catalog.price_writing import Author, PriceChange, note_costs, write_prices
from kameng_catalog.settings import CatalogSettings
from kameng_catalog.tables import Category, Product, Variant
from kameng_catalog.windows import planned

if TYPE_CHECKING:
    from kameng.graphql import Context

Values = dict[Column | str, Any]
"""New values by column, as Piccolo takes them."""

JSON_COLUMNS = frozenset({"titles", "descriptions", "delivery_notes", "seo"})


async def update_product(
    context: Context, key: UUID, values: Mapping[str, Any], category: str | None = None
) -> None:
    """Change columns of a product.

    Args:
        context: the request.
        key: the product.
        values: the new values by column; texts by locale replace those of the same locales.
        category: the path of its new category.

    Raises:
        NotFound: there is no such product or category.
        InvalidInput: it would be left without a title.
    """
    async with context.db.transaction():
        row = await context.db.fetchrow("select * from catalog_product where id = $1 for update", key)
        if row is None:
            raise NotFound("There is no such product.", path=("input", "id"))
        changes = _changes(row, values)
        if category is not None and (found := await _category(context, category)) != row["category"]:
            changes["category"] = found
        changes.update(planned(row, values))
        if changes:
            await Product.update({**changes, "updated_at": await _now(context)}).where(Product.id == key)
            await refresh_products(context.db, [key], currency_of(context))
            await record(context, "catalog.product_updated", f"product:{key}", changes)


async def unarchive_product(context: Context, key: UUID) -> None:
    """Make an archived product a draft.

    Raises:
        NotFound: there is no such product.
        Conflict: it is not archived.
    """
    async with context.db.transaction():
        status = await context.db.fetchval(
            "select status from catalog_product where id = $1 for no key update", key
        )
        if status is not None and status != "archived":
            raise Conflict("The product is not archived.", cure="Leave it as it is.", path=("input", "id"))
        await update_product(context, key, {"status": "draft"})


async def set_form(context: Context, key: UUID, form: Form) -> None:
    """Set what buyers of a product fill in; no fields take the form away.

    Raises:
        NotFound: there is no such product.
    """
    stored = msgspec.json.encode(form).decode() if form else None
    async with context.db.transaction():
        changed = await context.db.fetchval(
            "update catalog_product set form = $2::jsonb, updated_at = now() where id = $1 returning id",
            key,
            stored,
        )
        if changed is None:
            raise NotFound("There is no such product.", path=("input", "id"))
        await record(
            context, "catalog.form_set", f"product:{key}", {"fields": [field.name for field in form]}
        )


async def update_variant(context: Context, key: UUID, values: Mapping[str, Any]) -> None:
    """Change columns of a variant; see `update_product`.

    Raises:
        NotFound: there is no such variant.
        InvalidInput: it would be left without a title, or its least quantity above its most.
    """
    async with context.db.transaction():
        await _lock_product_of(context, key)
        row = await context.db.fetchrow("select * from catalog_variant where id = $1 for update", key)
        if row is None:
            raise NotFound("There is no such variant.", path=("input", "id"))
        changes = _changes(row, values)
        after = {**row, **changes}
        if after["min_quantity"] > after["max_quantity"]:
            raise InvalidInput(
                "The least quantity is above the most.", cure="Change both.", path=("input", "maxQuantity")
            )
        if changes:
            if changes.keys() & {"cost_units", "cost_currency"}:
                await note_costs(context.db, [after], Author(key=context.principal.key, source="admin"))
            await Variant.update({**changes, "updated_at": await _now(context)}).where(Variant.id == key)
            await refresh_products(context.db, [row["product"]], currency_of(context))
            await record(context, "catalog.variant_updated", f"variant:{key}", changes)


async def update_category(context: Context, path: str, values: Mapping[str, Any]) -> UUID:
    """Change columns of a category; returns its key.

    Raises:
        NotFound: there is no such category.
    """
    async with context.db.transaction():
        row = await context.db.fetchrow("select * from catalog_category where path = $1 for update", path)
        if row is None:
            raise NotFound("There is no such category.", path=("input", "path"))
        changes = _changes(row, values)
        if changes:
            await Category.update(changes).where(Category.id == row["id"])
            await record(context, "catalog.category_updated", f"category:{row['id']}", changes)
        key: UUID = row["id"]
        return key


async def change_price(context: Context, change: PriceChange, reason: str = "") -> None:
    """Set a price, or take it away; buyers pay what is left then.

    Raises:
        NotFound: there is no such variant, or no such price to take away.
        PriceBelowCost, InvalidInput: see `write_prices`.
    """
    author = Author(key=context.principal.key, source="admin", reason=reason)
    async with context.db.transaction():
        (answer,) = await write_prices(context.db, [change], author, currency_of(context))
        if isinstance(answer, Refusal):
            raise answer
        action = "catalog.price_removed" if change.units is None else "catalog.price_set"
        step = {name: value for name, value in msgspec.to_builtins(change).items() if value not in (None, "")}
        units = answer.old if change.units is None else answer.new
        await record(context, action, f"variant:{change.variant}", {**step, "units": units})


def _changes(row: Any, values: Mapping[str, Any]) -> Values:
    changes: Values = {}
    for name, value in values.items():
        old = orjson.loads(row[name]) if name in JSON_COLUMNS else row[name]
        new = {**old, **value} if name in JSON_COLUMNS else value
        if name in JSON_COLUMNS:
            # An empty text takes the language away.
            new = {locale: text for locale, text in new.items() if text}
        if name == "titles" and not new:
            raise InvalidInput("It needs a title.", cure="Keep one language.", path=("input", "titles"))
        if new != old:
            changes[name] = new
    return changes


async def _category(context: Context, path: str) -> UUID:
    key: UUID | None = await context.db.fetchval("select id from catalog_category where path = $1", path)
    if key is None:
        raise NotFound(f"There is no category {path[:100]!r}.", path=("input", "category"))
    return key


async def _lock_product_of(context: Context, variant: UUID) -> list[UUID]:
    """Lock the product before its variant: every change takes them in this order."""
    product = await context.db.fetchval("select product from catalog_variant where id = $1", variant)
    return [] if product is None else await lock_products(context.db, [product])


def currency_of(context: Context) -> str:
    """The shop's currency."""
    return context.kernel.settings.section("catalog", CatalogSettings).currency


async def _now(context: Context) -> Any:
    return await context.db.fetchval("select now()")


async def record(context: Context, action: str, subject: str, details: Mapping[Any, Any]) -> None:
    """Put a change into the audit log, with who asked for it."""
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=subject,
        details={
            str(name): str(value) if isinstance(value, UUID | datetime) else value
            for name, value in details.items()
        },
        correlation_id=context.correlation_id,
        address=context.address,
    )
