"""How the back office finds what suppliers bring by its id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from kameng.graphql import Context
from kameng_fulfilment.suppliers.brings import READ_SUPPLIERS
from kameng_fulfilment.suppliers.connections import (
    connection_of,
    read_connections,
)
from kameng_fulfilment.suppliers.graphql_types import (
    SELECT_ORDERS,
    SupplierAccount,
    SupplierOffer,
    SupplierOrderNode,
)
from kameng_fulfilment.suppliers.offers import offer_of


async def connection_nodes(context: Context, keys: Sequence[UUID]) -> list[SupplierAccount | None]:
    """Accounts for ``node(id:)``."""
    if not context.principal.may(READ_SUPPLIERS):
        return [None for _ in keys]
    found = await read_connections(context.kernel, keys)
    return [SupplierAccount.of(found[key]) if key in found else None for key in keys]


async def offer_nodes(context: Context, keys: Sequence[UUID]) -> list[SupplierOffer | None]:
    """Offers for ``node(id:)``."""
    if not context.principal.may(READ_SUPPLIERS):
        return [None for _ in keys]
    rows = await context.db.fetch(
        "select * from fulfilment_supplier_offer where id = any($1::uuid[])", list(keys)
    )
    found = {row["id"]: SupplierOffer.of(offer_of(row)) for row in rows}
    return [found.get(key) for key in keys]


async def supplier_order_nodes(context: Context, keys: Sequence[UUID]) -> list[SupplierOrderNode | None]:
    """Orders at suppliers for ``node(id:)``."""
    if not context.principal.may(READ_SUPPLIERS):
        return [None for _ in keys]
    rows = await context.db.fetch(f"{SELECT_ORDERS} where s.id = any($1::uuid[])", list(keys))
    found = {row["id"]: SupplierOrderNode.of(row) for row in rows}
    return [found.get(key) for key in keys]


NODES: Mapping[str, Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]] = {
    "SupplierAccount": connection_nodes,
    "SupplierOffer": offer_nodes,
    "SupplierOrder": supplier_order_nodes,
}
"""How ``node(id:)`` finds what suppliers bring to the back office."""


def connection_row(row: Mapping[str, Any]) -> SupplierAccount:
    """A row of an account as GraphQL shows it."""
    return SupplierAccount.of(connection_of(row))


def offer_row(row: Mapping[str, Any]) -> SupplierOffer:
    """A row of an offer as GraphQL shows it."""
    return SupplierOffer.of(offer_of(row))
