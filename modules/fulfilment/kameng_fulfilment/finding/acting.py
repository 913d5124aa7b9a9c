"""Doing the same to several orders: each by itself, so that one that refuses keeps no other back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from kameng.db import Statement
from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.graphql import Context
from kameng_fulfilment import holding, permissions
from kameng_fulfilment.acting import record
from kameng_fulfilment.delivering import deliver_from_stock
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import StoredOrder, lines_of_orders, order_by_number, orders_by_id
from kameng_fulfilment.states import OWING, WrongOrderState, lock_orders
from kameng_fulfilment.suppliers.hands import search_again

MOST_AT_ONCE = 100
"""Orders of one request."""

Action = Literal["hold", "release", "redeliver"]
NEEDED = {
    "hold": permissions.HOLD_ORDERS,
    "release": permissions.HOLD_ORDERS,
    "redeliver": permissions.DELIVER_ORDERS,
}
"""The permission for each action."""

RETRY_LINES = Statement(
    "fulfilment.retry_lines",
    # What had failed waits for stock again; served by the unique constraint fulfilment_line_position.
    """
    update fulfilment_order_line
    set delivery_state = case when delivered_quantity > 0 then 'PARTLY_DELIVERED' else 'PENDING' end,
        failure = '', failed_at = null
    where order_id = $1 and delivery = 'instant' and delivery_state = 'FAILED'
    """,
)


class Outcome(msgspec.Struct, frozen=True):
    """What became of one order.

    Attributes:
        number: as it was given.
        order: as it stands now; None where there is none.
        refusal: why nothing was done to it; None where something was.
    """

    number: str
    order: StoredOrder | None
    refusal: Refusal | None = None


async def act_on_orders(
    context: Context, numbers: Sequence[str], action: Action, reason: str
) -> list[Outcome]:
    """Do the same to each of these orders, in a transaction of its own, in the order given.

    Raises:
        InvalidInput: there are none, or too many.
        Forbidden: the principal may not do this.
    """
    context.require(NEEDED[action])
    wanted = list(dict.fromkeys(number for number in numbers if number.strip()))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise InvalidInput(
            f"This is done to 1 to {MOST_AT_ONCE} orders at a time, not to {len(wanted)}.",
            cure="Choose some in the list.",
            path=("input", "numbers"),
        )
    return [await _outcome(context, number, action, reason) for number in wanted]


async def _outcome(context: Context, number: str, action: Action, reason: str) -> Outcome:
    order: StoredOrder | None = None
    try:
        order = await order_by_number(context.db, read_number(number))
        if order is None:
            raise NotFound("There is no such order.", cure="Check the number.")
        async with context.db.transaction():
            await _act(context, order, action, reason)
            await record(context, f"{action}_order", order, reason=reason)
        refusal = None
    except Refusal as caught:
        refusal = caught
    now = (await orders_by_id(context.db, [order.id]))[order.id] if order else None
    return Outcome(number, now, refusal)


async def _act(context: Context, order: StoredOrder, action: Action, reason: str) -> None:
    actor = context.principal.key
    if action == "hold":
        await holding.hold(context.kernel, order.id, actor, reason)
    elif action == "release":
        await holding.release(context.kernel, order.id, actor, reason)
    else:
        await redeliver(context, order.id, reason)


async def redeliver(context: Context, order: UUID, reason: str) -> None:
    """Try anew to deliver what an order is owed: from stock now, and at suppliers where they had failed.

    Raises:
        WrongOrderState: nothing of it is owed, it is held, or nothing can be tried again: no stock, no failed supplier.
    """
    kernel = context.kernel
    async with kernel.db.transaction():
        locked = (await lock_orders(kernel, [order]))[order]
        if locked.state not in OWING or locked.held:
            raise WrongOrderState(
                f"Order {locked.number} is {locked.state}: there is nothing to deliver.",
                cure="Release it first, if it is held.",
            )
        await kernel.db.execute(RETRY_LINES, order)
        pieces = await deliver_from_stock(kernel, [locked], context.principal.key)
        again = 0
        for line in (await lines_of_orders(kernel.db, [order]))[order]:
            if line.delivery == "supplier" and line.delivery_state == "FAILED":
                await search_again(context, line.id, reason)
                again += 1
        if not pieces and not again:
            raise WrongOrderState(
                f"Nothing of order {locked.number} can be delivered now: stock is missing, or people deliver it.",
                cure="Add stock, deliver it by hand, or refund it.",
            )
