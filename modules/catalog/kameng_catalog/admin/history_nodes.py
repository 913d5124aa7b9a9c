"""Entries of histories by key: their keys are the numbers of their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.db import Statement
from kameng_catalog.admin.price_types import change_of
from kameng_catalog.admin.queries import number_of
from kameng_catalog.admin.stock_types import movement_of
from kameng_catalog.permissions import READ_PRODUCTS

if TYPE_CHECKING:
    from kameng.graphql import Context

MOVEMENTS = Statement(
    "catalog.stock_movements_by_number", "select * from catalog_stock_movement where id = any($1::bigint[])"
)
CHANGES = Statement(
    "catalog.price_changes_by_number", "select * from catalog_price_change where id = any($1::bigint[])"
)


async def movement_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Movements of stock by key, for ``node(id:)``."""
    return await _entries(context, keys, MOVEMENTS, movement_of)


async def change_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Changes of prices and costs by key, for ``node(id:)``."""
    return await _entries(context, keys, CHANGES, change_of)


async def _entries(
    context: Context, keys: Sequence[UUID], statement: Statement, entry_of: Callable[[Any], Any]
) -> Sequence[Any]:
    if not context.principal.may(READ_PRODUCTS.name):
        return [None] * len(keys)
    numbers = [number_of(key) for key in keys]
    found = {row["id"]: entry_of(row) for row in await context.db.fetch(statement, numbers)}
    return [found.get(number) for number in numbers]
