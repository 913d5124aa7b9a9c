"""Orders that wait for a payment from outside: their end without one, and how many of them a buyer may have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from kameng.errors import Refusal
from kameng_catalog.contract import Stock
from kameng_fulfilment.flash.giving_back import give_back
from kameng_fulfilment.life_statements import COUNT_UNPAID, LINES_OF, OVERDUE, TAKE_TURNS
from kameng_fulfilment.orders import StoredOrder
from kameng_fulfilment.states import WrongOrderState, lock_orders, move

if TYPE_CHECKING:
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)

EXPIRED_AT_ONCE = 100
"""Orders that one transaction lets expire."""


class TooManyUnpaidOrders(Refusal):
    """The buyer has as many orders waiting for their payment as the shop allows."""

    code = "TOO_MANY_UNPAID_ORDERS"


async def expire_unpaid(kernel: Kernel) -> None:
    """Let orders expire that were not paid in time, and give their stock back. Run often by a worker.

    Any number of processes may do this at the same time. Orders that are being paid or cancelled are passed over.
    """
    while True:
        async with kernel.db.transaction():
            rows = await kernel.db.fetch(OVERDUE, EXPIRED_AT_ONCE)
            await _give_back(kernel, [row["id"] for row in rows], "EXPIRED", "system", "not paid in time")
        if rows:
            log.info("unpaid orders expired", orders=len(rows))
        if len(rows) < EXPIRED_AT_ONCE:
            return


async def cancel_unpaid(kernel: Kernel, order: UUID, actor: str, note: str = "") -> StoredOrder:
    """Call an order off that is not paid; what was paid of it is in the buyer's wallet already.

    Raises:
        NotFound: there is no such order.
        WrongOrderState: it is paid, or over.
    """
    async with kernel.db.transaction():
        locked = (await lock_orders(kernel, [order]))[order]
        if locked.state != "PENDING_PAYMENT":
            raise WrongOrderState(
                f"Order {locked.number} is {locked.state}: only unpaid orders can be called off.",
                cure="Ask the shop for a refund.",
            )
        return (await _give_back(kernel, [order], "CANCELLED", actor, note))[order]


async def _give_back(
    kernel: Kernel, orders: Sequence[UUID], to: str, actor: str, note: str
) -> dict[UUID, StoredOrder]:
    if not orders:
        return {}
    moved = await move(kernel, orders, to, actor, note)
    rows = await kernel.db.fetch(LINES_OF, list(orders))
    lines = [row["id"] for row in rows]
    await give_back(kernel.db, lines)
    await kernel.services.get(Stock).release(lines)
    return moved


async def unpaid_of(kernel: Kernel, buyers: Sequence[UUID]) -> dict[UUID, int]:
    """How many orders of each buyer wait for their payment; his other requests wait until this transaction ends.

    Those whose time is over do not count, whether a worker has found them yet or not. Two statements.
    """
    wanted = sorted(set(buyers))
    await kernel.db.execute(TAKE_TURNS, wanted)
    rows = await kernel.db.fetch(COUNT_UNPAID, wanted)
    return {**dict.fromkeys(wanted, 0), **{row["member"]: row["unpaid"] for row in rows}}
