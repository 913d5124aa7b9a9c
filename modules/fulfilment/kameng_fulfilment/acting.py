"""What all mutations of the staff about orders have in common: finding, checking, and the entry in the audit log."""

from __future__ import annotations

from typing import Any

from kameng.errors import InvalidInput, NotFound
from kameng.graphql import Context
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders, order_by_number, orders_by_id
from kameng_fulfilment.types import Order

LONGEST_REASON = 500
"""Characters of a reason."""


async def find_order(context: Context, number: str) -> StoredOrder:
    """The order of a number as somebody typed it.

    Raises:
        InvalidInput: it is no order number.
        NotFound: there is no such order.
    """
    order = await order_by_number(context.db, read_number(number))
    if order is None:
        raise NotFound("There is no such order.", cure="Check the number.", path=("input", "number"))
    return order


async def find_line(context: Context, order: StoredOrder, position: int) -> StoredLine:
    """A line by its place in the order, from 1.

    Raises:
        InvalidInput: there is no such line.
    """
    return line_at((await lines_of_orders(context.db, [order.id]))[order.id], position)


def line_at(lines: list[StoredLine], position: int) -> StoredLine:
    """A line by its place in the order, from 1.

    Raises:
        InvalidInput: there is no such line.
    """
    if not 1 <= position <= len(lines):
        raise InvalidInput(
            f"The order has no line {position}.", cure=f"Take 1 to {len(lines)}.", path=("input", "position")
        )
    return lines[position - 1]


async def order_now(context: Context, order: StoredOrder) -> Order:
    """The order as it stands after what was done."""
    return Order.of((await orders_by_id(context.db, [order.id]))[order.id])


async def record(context: Context, action: str, order: StoredOrder, **details: Any) -> None:
    """Leave an entry about an order in the audit log."""
    await context.kernel.audit.record(
        f"fulfilment.{action}",
        principal=context.principal,
        subject=f"order:{order.id}",
        details={"number": order.number, **details},
        correlation_id=context.correlation_id,
        address=context.address,
    )


def plain_text(text: str, longest: int = LONGEST_REASON, name: str = "reason") -> str:
    """A reason, note or answer without the blanks around it.

    Raises:
        InvalidInput: there is none, or it is too long.
    """
    plain = text.strip()
    if not 1 <= len(plain) <= longest or "\0" in plain:
        raise InvalidInput(
            f"A {name} is needed." if not plain else f"The {name} cannot be kept as it is.",
            cure=f"Write 1 to {longest} plain characters.",
            path=("input", name),
        )
    return plain
