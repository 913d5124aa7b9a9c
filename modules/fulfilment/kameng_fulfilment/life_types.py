"""GraphQL types of what becomes of orders: their history, and tickets about their cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

import strawberry

from kameng import money
from kameng.auth import PrincipalKind
from kameng.graphql import Context, Info, Money, Node
from kameng.ids import global_id
from kameng_fulfilment.history import StoredEntry
from kameng_fulfilment.orders import READ_ORDERS, StoredOrder
from kameng_fulfilment.ticket_reading import StoredTicket, evidence_of, tickets_by_id


@strawberry.enum(description="Where an order stands.")
class OrderState(Enum):
    """Where an order stands."""

    PENDING_PAYMENT = "PENDING_PAYMENT"
    PAID = "PAID"
    DELIVERING = "DELIVERING"
    PARTLY_DELIVERED = "PARTLY_DELIVERED"
    COMPLETED = "COMPLETED"
    REVIEW = "REVIEW"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


@strawberry.enum(description="What an entry of an order's history is about.")
class HistoryKind(Enum):
    """What an entry of an order's history is about."""

    STATE = "state"
    NOTE = "note"
    PAYMENT = "payment"
    REFUND = "refund"
    HOLD = "hold"
    RELEASE = "release"
    DELIVERY = "delivery"
    FAILURE = "failure"
    TICKET = "ticket"
    CLAIM = "claim"


@strawberry.type(description="Something that happened to an order.")
class OrderHistoryEntry:
    """Something that happened to an order."""

    stored: strawberry.Private[StoredEntry]
    at: datetime
    kind: HistoryKind
    from_state: OrderState | None = strawberry.field(description="Where the order stood before.")
    to_state: OrderState = strawberry.field(description="Where it stood then.")
    note: str = strawberry.field(description="More about it, in a few words.")
    amount: Money | None = strawberry.field(description="The amount that it is about, if there is one.")

    @classmethod
    def of(cls, entry: StoredEntry, order: StoredOrder, staff: bool) -> OrderHistoryEntry:
        """An entry as its reader may see it: why the staff looks at an order is told to the staff."""
        internal = "REVIEW" in (entry.from_state, entry.to_state)
        amount = entry.amount_minor
        return cls(
            stored=entry,
            at=entry.at,
            kind=HistoryKind(entry.kind),
            from_state=OrderState(entry.from_state) if entry.from_state else None,
            to_state=OrderState(entry.to_state),
            note=entry.note if staff or not internal else "",
            amount=Money.of(money.Money(amount, order.currency)) if amount is not None else None,
        )


def shown_history(
    entries: Sequence[StoredEntry], order: StoredOrder, *, staff: bool
) -> list[OrderHistoryEntry]:
    """An order's history as its reader may see it; notes and reasons of the staff are for the staff alone."""
    return [
        OrderHistoryEntry.of(entry, order, staff)
        for entry in entries
        if staff or entry.kind not in ("note", "hold", "release", "failure")
    ]


@strawberry.enum(description="Where a ticket stands.")
class TicketState(Enum):
    """Where a ticket stands."""

    OPEN = "OPEN"
    REPLACED = "REPLACED"
    REFUNDED = "REFUNDED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


@strawberry.type(description="A complaint about a card.")
class Ticket(Node):
    """A complaint about a card."""

    stored: strawberry.Private[StoredTicket]
    state: TicketState
    card_key: str = strawberry.field(description="The card's key among those of its line.")
    answer: str = strawberry.field(description="What the shop answered.")
    opened_at: datetime
    closed_at: datetime | None

    @strawberry.field(description="What the buyer wrote.")
    async def evidence(self, info: Info) -> str:
        """What the buyer wrote, decrypted."""
        return await evidence_of(info.context.kernel, self.stored)

    @classmethod
    def of(cls, ticket: StoredTicket) -> Ticket:
        """A stored ticket as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("Ticket", ticket.id)),
            stored=ticket,
            state=TicketState(ticket.state),
            card_key=ticket.card_key,
            answer=ticket.answer,
            opened_at=ticket.opened_at,
            closed_at=ticket.closed_at,
        )


async def ticket_nodes(context: Context, keys: Sequence[UUID]) -> list[Ticket | None]:
    """Tickets for ``node(id:)``: one's own, and for the staff all."""
    principal = context.principal
    found = await tickets_by_id(context.db, keys)

    def may(ticket: StoredTicket) -> bool:
        if principal.kind is PrincipalKind.MEMBER:
            return principal.id == ticket.member and principal.scopes is None
        return principal.kind is PrincipalKind.STAFF and principal.may(READ_ORDERS)

    return [Ticket.of(found[key]) if key in found and may(found[key]) else None for key in keys]
