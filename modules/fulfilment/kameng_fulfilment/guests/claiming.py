"""A guest's order that a member takes into his account: the order, its tickets, and the money that the guest has here.

A guest is a buyer of one order. When the order is claimed, the member becomes its buyer, and whatever is in the guest's wallet
goes into the member's; what comes there later, such as a refund of what the guest had paid, follows in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng.ids import new_id
from kameng_fulfilment.events import OrderWasClaimed
from kameng_fulfilment.guests.refusals import order_claimed
from kameng_fulfilment.guests.statements import CLAIM_OF_ORDER, CLAIM_ORDER
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.orders import StoredOrder, order_of
from kameng_fulfilment.states import fact_values, lock_orders, note_history
from kameng_settlement.contract import WalletMoves

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def claim_order(kernel: Kernel, order: UUID, member: UUID) -> StoredOrder:
    """Make a guest's order a member's, in one transaction; again by the same member it changes nothing.

    Of several members who try at once, one gets it. Whoever calls has seen the order's secret.

    Args:
        kernel: whose order.
        order: its key.
        member: the member's.

    Raises:
        NotFound: there is no such order.
        OrderClaimed: another member has it.
    """
    async with kernel.db.transaction():
        locked = (await lock_orders(kernel, [order]))[order]
        if locked.buyer_kind != "guest":
            if locked.member != member:
                raise order_claimed()
            return locked
        guest = locked.member
        row = await kernel.db.fetchrow(CLAIM_ORDER, order, member, new_id(), f"claimed:{new_id()}")
        assert row is not None  # noqa: S101 - it is locked
        now = order_of(row)
        await kernel.services.get(WalletMoves).empty(guest, member, f"claim:{order}", now.number)
        await note_history(
            kernel, [(order, f"member:{member}", "taken into an account")], now.state, kind="claim"
        )
        await kernel.events.emit(
            OrderWasClaimed(
                **fact_values(now),  # type: ignore[arg-type]  # the fields of every OrderFact
                guest=str(guest),
            )
        )
        orders_changed(kernel, [(guest, order), (member, order)])
        return now


async def money_follows(kernel: Kernel, order: UUID) -> None:
    """Have money that has just come into the wallet of a guest go on to whoever has claimed his order, if somebody has.

    Called in the transaction that moved the money, with the order locked. One statement where nobody has claimed it.
    """
    row = await kernel.db.fetchrow(CLAIM_OF_ORDER, order)
    if row is not None:
        # Emptying a wallet is harmless to repeat, so each occasion has a key of its own.
        await kernel.services.get(WalletMoves).empty(
            row["guest"], row["member"], f"claim:{order}:{new_id()}", "goes with its order"
        )
