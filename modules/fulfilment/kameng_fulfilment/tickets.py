"""After-sales: a card that does not work is replaced, refunded, or the complaint is turned down; once for each card."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import Conflict, InvalidInput, NotFound, Refusal
from kameng.ids import new_id
from kameng_catalog.contract import PickRequest, RetireRequest, Sale, SoldCard, Stock
from kameng_fulfilment.costs.recording import keep_costs
from kameng_fulfilment.events import LineCostChanged
from kameng_fulfilment.guests.statements import COMPLAINTS_OF_CONTACT
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders
from kameng_fulfilment.refund_parts import RefundedLine
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.states import fact_values, lock_orders, note_history
from kameng_fulfilment.ticket_reading import EVIDENCE, StoredTicket, evidence_place, ticket_of
from kameng_fulfilment.ticket_statements import (
    ADD_TICKET,
    CLOSE_TICKET,
    COMPLAINTS,
    TICKET_BY_ID,
    TICKETS_OF_CARD,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LONGEST_EVIDENCE = 4_000
"""Characters that a buyer may write."""

LONGEST_ANSWER = 500
"""Characters of the answer to a ticket."""

OBSERVED = timedelta(days=90)
"""How far back the automatic rule looks at a buyer's complaints."""


class TicketTooLate(Refusal):
    """The card was delivered too long ago to be complained about."""

    code = "TICKET_TOO_LATE"


class TicketNotAllowed(Conflict):
    """There is an open ticket about this card, or it was replaced or refunded before."""

    code = "TICKET_NOT_ALLOWED"


class TicketClosed(Conflict):
    """The ticket was closed before."""

    code = "TICKET_CLOSED"


async def open_ticket(
    kernel: Kernel, order: UUID, position: int, card: str, evidence: str, buyer: UUID
) -> StoredTicket:
    """Complain about a card. Where the shop's rule says so, it is replaced at once.

    Args:
        kernel: whose order.
        order: its key.
        position: the line's, from 1.
        card: its key among those of the line, as `SoldCard.key` gives it.
        evidence: what the buyer writes about it.
        buyer: who complains.

    Raises:
        NotFound: there is no such order, line or card of this buyer.
        InvalidInput: the text is empty or too long.
        TicketTooLate: it was delivered too long ago.
        TicketNotAllowed: there is an open ticket about it, or it was settled before.
    """
    text = evidence.strip()
    if not 1 <= len(text) <= LONGEST_EVIDENCE or "\0" in text:
        raise InvalidInput(
            "A complaint needs some words about what happened.",
            cure=f"Write 1 to {LONGEST_EVIDENCE} plain characters.",
            path=("input", "evidence"),
        )
    settings = kernel.settings.section("fulfilment", FulfilmentSettings)
    async with kernel.db.transaction():
        key = await kernel.vault.current_key(EVIDENCE)
        locked = (await lock_orders(kernel, [order]))[order]
        if locked.member != buyer:
            raise _no_card()
        line, sold = await _card(kernel, locked, position, card)
        if datetime.now(UTC) - sold.sold_at > timedelta(days=settings.ticket_days):
            raise TicketTooLate(
                f"Cards can be complained about for {settings.ticket_days} days after their delivery.",
                cure="Write to the shop's support.",
            )
        states = {row["state"] for row in await kernel.db.fetch(TICKETS_OF_CARD, _name(line.id, card))}
        if sold.retired or states & {"OPEN", "REPLACED", "REFUNDED"}:
            raise TicketNotAllowed(
                "There is a ticket about this card already, or it was settled before.",
                cure="Look at the tickets of this order.",
            )
        own = new_id()
        (sealed,) = await kernel.vault.seal_many(key, [(text.encode(), evidence_place(own))])
        row = await kernel.db.fetchrow(
            ADD_TICKET, own, order, line.id, _name(line.id, card), buyer, sealed, key.id
        )
        assert row is not None  # noqa: S101 - it was inserted just now
        await note_history(
            kernel, [(order, _actor(locked), "ticket opened")], locked.state, kind="ticket", line=line.id
        )
        orders_changed(kernel, [(buyer, order)])
        if await _is_automatic(kernel, settings, line, locked):
            try:
                async with kernel.db.transaction():
                    return await replace_card(kernel, own, "system", "replaced automatically")
            except Refusal:
                # Nothing to replace it with: a person decides.
                pass
        return ticket_of(row)


async def replace_card(kernel: Kernel, ticket: UUID, actor: str, answer: str) -> StoredTicket:
    """Close a ticket by handing over another card to the same line; the bad one is marked.

    Raises:
        NotFound: there is no such ticket.
        TicketClosed: it was closed before.
        OutOfStock: there is nothing to replace it with.
    """
    async with kernel.db.transaction():
        stored, order, line = await _open(kernel, ticket)
        stock = kernel.services.get(Stock)
        (pick,) = await stock.pick([PickRequest(variant=line.variant, quantity=1)])
        if isinstance(pick, Refusal):
            raise type(pick)(pick.message, cure="Refund it, or add stock first.")
        await stock.hand_over([Sale(pick=pick, line=line.id)])
        await keep_costs(kernel, [line.id])
        await kernel.events.emit(
            LineCostChanged(**fact_values(order), line=str(line.id))  # type: ignore[arg-type]  # the fields of every OrderFact
        )
        await _retire(kernel, stored, actor, answer)
        return await _close(kernel, stored, order, "REPLACED", actor, answer)


async def refund_card(kernel: Kernel, ticket: UUID, actor: str, answer: str) -> StoredTicket:
    """Close a ticket by paying the card's share of its line back.

    Raises:
        NotFound: there is no such ticket.
        TicketClosed: it was closed before.
        RefundTooMuch: the line was refunded before.
        WrongOrderState: the order was refunded before.
    """
    async with kernel.db.transaction():
        stored, order, line = await _open(kernel, ticket)
        await _retire(kernel, stored, actor, answer)
        await refund_order(
            kernel,
            order.id,
            [RefundedLine(line=line.id, quantity=1, delivered_only=True)],
            key=f"ticket:{ticket}",
            actor=actor,
            reason=answer or "the card did not work",
        )
        return await _close(kernel, stored, order, "REFUNDED", actor, answer)


async def reject_ticket(kernel: Kernel, ticket: UUID, actor: str, answer: str) -> StoredTicket:
    """Turn a complaint down.

    Raises:
        NotFound: there is no such ticket.
        TicketClosed: it was closed before.
    """
    async with kernel.db.transaction():
        stored, order, _ = await _open(kernel, ticket)
        return await _close(kernel, stored, order, "REJECTED", actor, answer)


async def withdraw_ticket(kernel: Kernel, ticket: UUID, buyer: UUID) -> StoredTicket:
    """Take one's own complaint back.

    Raises:
        NotFound: there is no such ticket of this buyer.
        TicketClosed: it was closed before.
    """
    async with kernel.db.transaction():
        stored, order, _ = await _open(kernel, ticket, buyer)
        return await _close(kernel, stored, order, "WITHDRAWN", _actor(order), "")


def _actor(order: StoredOrder) -> str:
    return f"{order.buyer_kind}:{order.member}"


def _name(line: UUID, card: str) -> str:
    # The stock's key names a card among those of its line.
    return f"{line}:{card}"


async def _card(kernel: Kernel, order: StoredOrder, position: int, card: str) -> tuple[StoredLine, SoldCard]:
    lines = (await lines_of_orders(kernel.db, [order.id]))[order.id]
    line = lines[position - 1] if 1 <= position <= len(lines) else None
    if line is None:
        raise _no_card()
    for sold in await kernel.services.get(Stock).sold_cards([line.id]):
        if sold.key == card:
            return line, sold
    raise _no_card()


def _no_card() -> NotFound:
    return NotFound("There is no such card in your order.", cure="Take its id from the order's line.")


async def _open(
    kernel: Kernel, ticket: UUID, buyer: UUID | None = None
) -> tuple[StoredTicket, StoredOrder, StoredLine]:
    """An open ticket with its order locked, which is what tickets take turns at."""
    row = await kernel.db.fetchrow(TICKET_BY_ID, ticket)
    if row is None or (buyer is not None and row["member"] != buyer):
        raise NotFound("There is no such ticket.", cure="Check its id.")
    order = (await lock_orders(kernel, [row["order_id"]]))[row["order_id"]]
    row = await kernel.db.fetchrow(TICKET_BY_ID, ticket)
    assert row is not None  # noqa: S101 - tickets are never deleted
    stored = ticket_of(row)
    if stored.state != "OPEN":
        raise TicketClosed(f"This ticket is {stored.state} already.", cure="Look at it again.")
    lines = (await lines_of_orders(kernel.db, [order.id]))[order.id]
    return stored, order, next(line for line in lines if line.id == stored.line)


async def _retire(kernel: Kernel, ticket: StoredTicket, actor: str, answer: str) -> None:
    reason = answer[:LONGEST_ANSWER] or "complained about by its buyer"
    await kernel.services.get(Stock).retire(
        [RetireRequest(line=ticket.line, key=ticket.card_key, reason=reason, by=actor)]
    )


async def _close(
    kernel: Kernel, ticket: StoredTicket, order: StoredOrder, state: str, actor: str, answer: str
) -> StoredTicket:
    row = await kernel.db.fetchrow(CLOSE_TICKET, ticket.id, state, answer[:LONGEST_ANSWER], actor)
    assert row is not None  # noqa: S101 - it is open, and its order locked
    now = (await lock_orders(kernel, [order.id]))[order.id]
    note = f"ticket {state.lower()}" + (f": {answer}" if answer else "")
    await note_history(kernel, [(order.id, actor, note)], now.state, kind="ticket", line=ticket.line)
    orders_changed(kernel, [(order.member, order.id)])
    return ticket_of(row)


async def _is_automatic(
    kernel: Kernel, settings: FulfilmentSettings, line: StoredLine, order: StoredOrder
) -> bool:
    """Whether the shop's rule replaces such a card without a person. Guests are known by their contacts."""
    if line.total_minor // line.quantity >= settings.replace_below_minor:
        return False
    row = await (
        kernel.db.fetchrow(COMPLAINTS_OF_CONTACT, order.id, OBSERVED)
        if order.buyer_kind == "guest"
        else kernel.db.fetchrow(COMPLAINTS, order.member, OBSERVED)
    )
    assert row is not None  # noqa: S101 - a count has a row
    allowed = max(1, int(row["cards"] * settings.replace_ticket_share))
    return bool(row["tickets"] <= allowed)
