"""Changing definitions and values of attributes: each change in one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import orjson

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng_catalog.attributes.definitions import Definition, read_definitions
from kameng_catalog.attributes.values import checked_values
from kameng_catalog.editing import currency_of, record
from kameng_catalog.listings import lock_products, refresh_products

if TYPE_CHECKING:
    from kameng.graphql import Context

MOST_CHOICES = 200
"""Choices of an attribute."""

MOST_ATTRIBUTES = 50
"""Attributes that one category defines."""

_PUT = """
insert into catalog_attribute
    (id, category, code, kind, titles, unit, choices, required, filterable, position, updated_at)
values ($1, $2, $3, $4, $5::jsonb, $6, $7::jsonb, $8, $9, $10, now())
on conflict (category, code) do update set titles = excluded.titles, unit = excluded.unit, choices = excluded.choices,
    required = excluded.required, filterable = excluded.filterable, position = excluded.position, updated_at = now()
where catalog_attribute.kind = excluded.kind
returning id
"""


async def define_attribute(context: Context, definition: Definition) -> None:
    """Define an attribute of a category, or change its definition; what products state already stays.

    Raises:
        NotFound: there is no such category.
        Conflict: it is there and of another kind, which cannot change.
        InvalidInput: a choice without choices, a choice twice, choices of what is none, or too much of something.
    """
    _check(definition)
    async with context.db.transaction():
        category = await _category(context, definition.path)
        count = await context.db.fetchval(
            "select count(*) from catalog_attribute where category = $1 and code <> $2",
            category,
            definition.code,
        )
        if count >= MOST_ATTRIBUTES:
            raise InvalidInput(
                f"A category has at most {MOST_ATTRIBUTES} attributes.", cure="Take one away first."
            )
        key = await context.db.fetchval(
            _PUT, new_id(), category, definition.code, definition.kind, orjson.dumps(definition.titles).decode(),
            definition.unit, msgspec.json.encode(definition.choices).decode(), definition.required,
            definition.filterable, definition.position,
        )  # fmt: skip
        if key is None:
            raise Conflict(
                f"The attribute {definition.code} is of another kind.",
                cure="Define one with another code.",
                path=("input", "kind"),
            )
        details = {"code": definition.code, "kind": definition.kind}
        await record(context, "catalog.attribute_defined", f"category:{category}", details)


async def remove_attribute(context: Context, path: str, code: str) -> None:
    """Take a definition away. Products keep what they stated; it is not shown any more.

    Raises:
        NotFound: there is no such category or attribute.
    """
    async with context.db.transaction():
        category = await _category(context, path)
        gone = await context.db.fetchval(
            "delete from catalog_attribute where category = $1 and code = $2 returning id", category, code
        )
        if gone is None:
            raise NotFound("The category has no such attribute.", path=("input", "code"))
        await record(context, "catalog.attribute_removed", f"category:{category}", {"code": code})


async def set_attributes(context: Context, product: UUID, given: Mapping[str, Sequence[str]]) -> None:
    """Set all that a product states.

    Raises:
        NotFound: there is no such product.
        InvalidInput: see `checked_values`.
    """
    async with context.db.transaction():
        if not await lock_products(context.db, [product]):
            raise NotFound("There is no such product.", path=("input", "id"))
        path = await context.db.fetchval(
            "select c.path from catalog_product p join catalog_category c on c.id = p.category where p.id = $1",
            product,
        )
        values = checked_values((await read_definitions(context.db)).of(path), given)
        await context.db.execute(
            "update catalog_product set attributes = $2::jsonb, updated_at = now() where id = $1",
            product,
            orjson.dumps(values).decode(),
        )
        await refresh_products(context.db, [product], currency_of(context))
        await record(context, "catalog.attributes_set", f"product:{product}", values)


async def _category(context: Context, path: str) -> Any:
    key = await context.db.fetchval("select id from catalog_category where path = $1 for key share", path)
    if key is None:
        raise NotFound(f"There is no category {path[:100]!r}.", path=("input", "category"))
    return key


def _check(definition: Definition) -> None:
    values = [choice.value for choice in definition.choices]
    if (definition.kind in ("choice", "choices")) != bool(values):
        raise InvalidInput(
            "Choices belong to attributes of the kinds CHOICE and CHOICES, which need some.",
            cure="Name them, or take another kind.",
            path=("input", "choices"),
        )
    if len(set(values)) < len(values) or len(values) > MOST_CHOICES:
        raise InvalidInput(
            f"Each choice stands once, and there are at most {MOST_CHOICES}.", path=("input", "choices")
        )
    if definition.unit and definition.kind != "number":
        raise InvalidInput("Only a number has a unit.", cure="Leave it out.", path=("input", "unit"))
    if not definition.titles:
        raise InvalidInput("It needs a title.", cure="Give it one.", path=("input", "titles"))
