"""Orders as they are read: rows to values, batched, and only for those who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import msgspec
import orjson

from kameng.auth import Principal, PrincipalKind
from kameng.money import UnitPrice
from kameng_fulfilment.statements import LINES_OF_ORDERS, ORDER_BY_NUMBER, ORDERS_BY_ID

if TYPE_CHECKING:
    from kameng.db import Database

READ_ORDERS = "fulfilment.read_orders"
"""The permission to read everybody's orders; their secrets stay with their owners."""


class StoredOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is stored."""

    id: UUID
    number: str
    member: UUID
    state: str
    currency: str
    total_minor: int
    created_at: datetime
    paid_at: datetime | None
    completed_at: datetime | None
    charge: UUID | None
    buyer_kind: str
    payment: str
    received_minor: int
    refunded_minor: int
    reserved_until: datetime | None
    held: bool
    site: str


class StoredAnswer(msgspec.Struct, frozen=True):
    """What the buyer filled into a field of the product's form.

    Attributes:
        name: the field's name.
        labels: what it was called, by locale.
        value: the answer.
        private: whether pages that others may see hide its middle.
    """

    name: str
    labels: dict[str, str]
    value: str
    private: bool = False


_answers = msgspec.json.Decoder(list[StoredAnswer])


class StoredLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is stored; prices in ten-thousandths of the currency's main unit."""

    id: UUID
    order_id: UUID
    position: int
    variant: UUID
    product: UUID
    sku: str
    titles: dict[str, str]
    quantity: int
    unit_price: int
    total_minor: int
    answers: list[StoredAnswer]
    delivery_state: str
    delivery: str
    delivered_quantity: int
    withdrawn_quantity: int
    refunded_quantity: int
    refunded_minor: int
    failure: str
    unit_cost: int | None = None

    @property
    def remaining(self) -> int:
        """Pieces that are neither delivered nor taken back."""
        return self.quantity - self.delivered_quantity - self.withdrawn_quantity

    def cost_minor(self, currency: str) -> int:
        """What the delivered pieces cost the operator, in minor units; 0 where that is not known."""
        if self.unit_cost is None:
            return 0
        return UnitPrice(self.unit_cost, currency).times(self.delivered_quantity).minor


def order_of(row: asyncpg.Record) -> StoredOrder:
    """A row of ``fulfilment_order``."""
    return StoredOrder(**{name: row[name] for name in StoredOrder.__struct_fields__})


def _line_of(row: asyncpg.Record) -> StoredLine:
    values: dict[str, Any] = {name: row[name] for name in StoredLine.__struct_fields__}
    values["titles"] = orjson.loads(values["titles"])
    values["answers"] = _answers.decode(values["answers"]) if values["answers"] else []
    return StoredLine(**values)


def may_read(principal: Principal, order: StoredOrder) -> bool:
    """Whether a principal may see an order: its buyer, and staff with the permission."""
    if principal.kind is PrincipalKind.MEMBER:
        return principal.id == order.member
    return principal.kind is PrincipalKind.STAFF and principal.may(READ_ORDERS)


async def orders_by_id(db: Database, ids: Sequence[UUID]) -> dict[UUID, StoredOrder]:
    """Orders by key."""
    return {row["id"]: order_of(row) for row in await db.fetch(ORDERS_BY_ID, list(ids))}


async def order_by_number(db: Database, number: str) -> StoredOrder | None:
    """The order of this number, if there is one."""
    row = await db.fetchrow(ORDER_BY_NUMBER, number)
    return order_of(row) if row else None


async def lines_of_orders(db: Database, orders: Sequence[UUID]) -> dict[UUID, list[StoredLine]]:
    """The lines of each order, in order."""
    found: dict[UUID, list[StoredLine]] = {key: [] for key in orders}
    for row in await db.fetch(LINES_OF_ORDERS, list(found)):
        found[row["order_id"]].append(_line_of(row))
    return found


def text_place(line: UUID, text: UUID) -> bytes:
    """What binds a sealed text to its place."""
    return line.bytes + text.bytes
