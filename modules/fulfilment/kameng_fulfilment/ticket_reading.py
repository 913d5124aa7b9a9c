"""Reading tickets, and what buyers wrote in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec

from kameng_fulfilment.ticket_statements import TICKETS_BY_ID, TICKETS_OF_ORDERS

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng.kernel import Kernel

EVIDENCE = "fulfilment.ticket_evidence"
"""The scope of the data keys that seal what buyers write."""


class StoredTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it is stored."""

    id: UUID
    order_id: UUID
    line: UUID
    card: str
    member: UUID
    state: str
    sealed_evidence: bytes
    data_key: UUID
    answer: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str

    @property
    def card_key(self) -> str:
        """The stock's key of the card among those of its line."""
        return self.card.partition(":")[2]


def ticket_of(row: asyncpg.Record) -> StoredTicket:
    """A row of ``fulfilment_ticket``."""
    return StoredTicket(**{name: row[name] for name in StoredTicket.__struct_fields__})


async def tickets_by_id(db: Database, keys: Sequence[UUID]) -> dict[UUID, StoredTicket]:
    """Tickets by key. One statement."""
    return {row["id"]: ticket_of(row) for row in await db.fetch(TICKETS_BY_ID, list(keys))}


async def tickets_of_orders(db: Database, orders: Sequence[UUID]) -> dict[UUID, list[StoredTicket]]:
    """The tickets about each order's cards, the oldest first. One statement."""
    found: dict[UUID, list[StoredTicket]] = {key: [] for key in orders}
    for row in await db.fetch(TICKETS_OF_ORDERS, list(found)):
        found[row["order_id"]].append(ticket_of(row))
    return found


async def evidence_of(kernel: Kernel, ticket: StoredTicket) -> str:
    """What the buyer wrote."""
    text = await kernel.vault.open(ticket.data_key, ticket.sealed_evidence, evidence_place(ticket.id))
    return text.decode()


def evidence_place(ticket: UUID) -> bytes:
    """What binds sealed evidence to its ticket."""
    return ticket.bytes
