"""Stopping the delivery of an order until somebody has looked at it, and letting it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng_fulfilment.delivering import deliver_from_stock
from kameng_fulfilment.life_statements import HOLD
from kameng_fulfilment.orders import StoredOrder, order_of
from kameng_fulfilment.states import OWING, WrongOrderState, lock_orders, move, note_history

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def hold(kernel: Kernel, order: UUID, actor: str, reason: str) -> StoredOrder:
    """Hold an order: its delivery, not its payment. One that waits for its payment is held once it is paid.

    Raises:
        NotFound: there is no such order.
        WrongOrderState: nothing of it is left to hold.
    """
    async with kernel.db.transaction():
        locked = (await lock_orders(kernel, [order]))[order]
        if locked.state not in OWING and locked.state != "PENDING_PAYMENT":
            raise WrongOrderState(
                f"Order {locked.number} is {locked.state}: there is nothing left to hold.",
                cure="Refund it, if it must not stay delivered.",
            )
        if locked.held:
            return locked
        held = await _set(kernel, order, held=True)
        if held.state == "PENDING_PAYMENT":
            await note_history(kernel, [(order, actor, reason)], held.state, kind="hold")
            return held
        return (await move(kernel, [order], "REVIEW", actor, reason))[order]


async def release(kernel: Kernel, order: UUID, actor: str, reason: str) -> StoredOrder:
    """Let a held order go on: what it is owed from stock is delivered at once, as far as it is there.

    Raises:
        NotFound: there is no such order.
        WrongOrderState: it is not held.
    """
    async with kernel.db.transaction():
        locked = (await lock_orders(kernel, [order]))[order]
        if not locked.held or locked.state not in (*OWING, "PENDING_PAYMENT"):
            raise WrongOrderState(f"Order {locked.number} is not held.", cure="Look at it again.")
        free = await _set(kernel, order, held=False)
        await note_history(kernel, [(order, actor, reason)], free.state, kind="release")
        if free.state == "PENDING_PAYMENT":
            return free
        await deliver_from_stock(kernel, [free], actor)
        return (await lock_orders(kernel, [order]))[order]


async def _set(kernel: Kernel, order: UUID, *, held: bool) -> StoredOrder:
    row = await kernel.db.fetchrow(HOLD, order, held)
    assert row is not None  # noqa: S101 - it is locked
    return order_of(row)
