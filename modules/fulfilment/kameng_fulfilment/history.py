"""Reading what happened to orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng_fulfilment.life_statements import HISTORY_OF_ORDERS

if TYPE_CHECKING:
    from kameng.db import Database

MOST_ENTRIES = 500
"""Entries of one order that are shown, the newest of them."""


class StoredEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of an order's history as it is stored."""

    id: UUID
    order_id: UUID
    at: datetime
    from_state: str | None
    to_state: str
    actor: str
    note: str
    kind: str
    line: UUID | None
    amount_minor: int | None


async def history_of_orders(db: Database, orders: Sequence[UUID]) -> dict[UUID, list[StoredEntry]]:
    """The history of each order, the oldest first. One statement."""
    found: dict[UUID, list[StoredEntry]] = {key: [] for key in orders}
    for row in await db.fetch(HISTORY_OF_ORDERS, list(found), MOST_ENTRIES):
        entry = StoredEntry(**{name: row[name] for name in StoredEntry.__struct_fields__})
        found[entry.order_id].append(entry)
    return found
