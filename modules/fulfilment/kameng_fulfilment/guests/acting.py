"""What a guest does with his order once it is there; each of it once, however often he sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import NotFound
from kameng_fulfilment.orders import StoredOrder, orders_by_id
from kameng_fulfilment.states import WrongOrderState
from kameng_fulfilment.ticket_reading import StoredTicket, evidence_of, tickets_of_orders
from kameng_fulfilment.tickets import TicketNotAllowed, open_ticket, withdraw_ticket
from kameng_fulfilment.unpaid import cancel_unpaid

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def cancel_own(kernel: Kernel, order: StoredOrder) -> StoredOrder:
    """Call an order off that is not paid; one that was called off before stays so.

    Raises:
        WrongOrderState: it is paid, or over.
    """
    try:
        return await cancel_unpaid(kernel, order.id, f"guest:{order.member}", "called off by its buyer")
    except WrongOrderState:
        now = (await orders_by_id(kernel.db, [order.id]))[order.id]
        if now.state != "CANCELLED":
            raise
        return now


async def complain(
    kernel: Kernel, order: StoredOrder, position: int, card: str, evidence: str
) -> StoredTicket:
    """Complain about a card. The same words about the same card give the ticket that they led to before.

    Raises:
        Refusal: see `kameng_fulfilment.tickets.open_ticket`.
    """
    try:
        return await open_ticket(kernel, order.id, position, card, evidence, order.member)
    except TicketNotAllowed:
        for ticket in (await tickets_of_orders(kernel.db, [order.id]))[order.id]:
            if ticket.card_key == card and await evidence_of(kernel, ticket) == evidence.strip():
                return ticket
        raise


async def take_back(kernel: Kernel, order: StoredOrder, ticket: UUID) -> StoredTicket:
    """Take a complaint back; one that was taken back before stays so.

    Raises:
        NotFound: there is no such ticket about this order.
        TicketClosed: the shop has closed it.
    """
    own = {stored.id: stored for stored in (await tickets_of_orders(kernel.db, [order.id]))[order.id]}
    if ticket not in own:
        raise NotFound("There is no such ticket.", cure="Check its id.")
    if own[ticket].state == "WITHDRAWN":
        return own[ticket]
    return await withdraw_ticket(kernel, ticket, order.member)
