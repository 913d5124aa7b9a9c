"""How many pieces suppliers have of what they deliver, written down so that no more is sold.

A figure that a supplier does not give is not zero: such a variant is left as it is. Costs are never taken over: what an offer
costs is what a person wrote, and each order tells the supplier how much it may cost at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from kameng_catalog.contract import UNLIMITED, Stock
from kameng_fulfilment.suppliers.connection_statements import ENABLED_CONNECTIONS, ENABLED_OFFERS
from kameng_fulfilment.suppliers.connections import StoredConnection, connection_of, open_connection

if TYPE_CHECKING:
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)


async def mirror_stock(kernel: Kernel) -> None:
    """The task: ask each account what it has, and write down what is known of variants of the stock kind `supplier`.

    The accounts are asked side by side; one that does not answer leaves the figures of its variants as they are.
    """
    connections = [connection_of(row) for row in await kernel.db.fetch(ENABLED_CONNECTIONS)]
    answers = await asyncio.gather(*(_stock_of(kernel, connection) for connection in connections))
    figures = {
        connection.id: answer
        for connection, answer in zip(connections, answers, strict=True)
        if answer is not None
    }
    pieces: dict[UUID, int] = {}
    unsure: set[UUID] = set()
    for row in await kernel.db.fetch(ENABLED_OFFERS):
        known = figures.get(row["connection"], {}).get(row["their_sku"])
        if known is None:
            unsure.add(row["variant"])
        else:
            pieces[row["variant"]] = min(pieces.get(row["variant"], 0) + known, UNLIMITED)
    told = {variant: count for variant, count in pieces.items() if variant not in unsure}
    if told:
        async with kernel.db.transaction():
            await kernel.services.get(Stock).mirror(told)


async def _stock_of(kernel: Kernel, connection: StoredConnection) -> Mapping[str, int] | None:
    """What an account has, by the supplier's number; None where it does not answer."""
    try:
        supplier = await open_connection(kernel, connection)
        async with asyncio.timeout(connection.timeout_seconds):
            products = await supplier.products()
    except Exception as error:  # one account must not stop the others
        log.warning(
            "a supplier does not say what it has", supplier=connection.name, error=type(error).__name__
        )
        return None
    return {each.sku: max(each.stock, 0) for each in products if each.stock is not None}
