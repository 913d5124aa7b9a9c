"""Fulfilment's part of the admin schema: everybody's orders, without what was delivered."""

from __future__ import annotations

from typing import cast

import strawberry

from kameng.errors import NotFound
from kameng.graphql import Connection, Info, Money
from kameng.graphql.actors import staff_name
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id
from kameng.money import Money as Amount
from kameng_fulfilment.attention import UNFINISHED, AttentionReason, reasons
from kameng_fulfilment.costs.graphql import LineCost, costs_of_line
from kameng_fulfilment.dossier.fields import LineDossier, OrderDossier
from kameng_fulfilment.life_types import OrderHistoryEntry, Ticket, TicketState
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import READ_ORDERS, order_by_number
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.shop import order_page
from kameng_fulfilment.ticket_reading import ticket_of
from kameng_fulfilment.types import Order, OrderLine

OLDEST = Keyset("orders-oldest", (("id", "uuid"),))
TICKETS = Keyset("tickets-oldest", (("id", "uuid"),))


@strawberry.type
class FulfilmentAdminQuery:
    """Queries of the staff."""

    @strawberry.field(
        description="Paid orders that are neither delivered nor refunded, the oldest first. Needs fulfilment.read_orders."
    )
    async def orders_needing_attention(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Order]:
        """A page of the orders that need a person; see `Order.attention` for why. Tickets have a list of their own."""
        info.context.require(READ_ORDERS)
        page = PageRequest.of(first, after, last, before)
        return await order_page(info.context.db, page, UNFINISHED, [], OLDEST)

    @strawberry.field(description="Tickets about cards, the oldest first. Needs fulfilment.read_orders.")
    async def tickets(
        self,
        info: Info,
        state: TicketState = TicketState.OPEN,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Ticket]:
        """A page of tickets in one state."""
        info.context.require(READ_ORDERS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(TICKETS, 2)
        rows = await info.context.db.fetch(
            f"select * from fulfilment_ticket where state = $1 and {behind} {tail}", state.value, *cursor
        )
        tickets = [ticket_of(row) for row in rows]
        return page.connection(tickets, TICKETS, lambda ticket: [ticket.id], Ticket.of)

    @strawberry.field(description="An order by its number. Needs fulfilment.read_orders.")
    async def order(self, info: Info, number: str) -> Order:
        """An order by its number."""
        info.context.require(READ_ORDERS)
        order = await order_by_number(info.context.db, read_number(number))
        if order is None:
            raise NotFound("There is no such order.", cure="Check the number.")
        return Order.of(order)


class OfficeOrderLine(LineDossier):
    """What the staff sees of a line beyond its buyer's view."""

    @strawberry.field(
        description="What the delivered pieces cost, as it was known when they were delivered; it is there a moment after "
        "that. Needs fulfilment.read_costs."
    )
    async def costs(self, info: Info) -> list[LineCost]:
        """What the delivered pieces cost."""
        return await costs_of_line(info, cast("OrderLine", self).stored.id)

    @strawberry.field(description="Why it could not be delivered; empty where it could.")
    def failure(self) -> str:
        """Why it could not be delivered."""
        return cast("OrderLine", self).stored.failure


class HistoryActor:
    """What the staff sees of an entry of an order's history beyond the buyer's view."""

    @strawberry.field(description="Who did it: a principal's key, a supplier's name, or system.")
    def actor(self) -> str:
        """Who did it."""
        return cast("OrderHistoryEntry", self).stored.actor

    @strawberry.field(description="The name of who did it, where that was one of the staff.")
    async def actor_name(self, info: Info) -> str | None:
        """The name of who did it."""
        return await staff_name(info.context, cast("OrderHistoryEntry", self).stored.actor)


class TicketPlace:
    """What the staff sees of a ticket beyond its buyer's view."""

    @strawberry.field(description="The order that it is about.")
    async def order(self, info: Info) -> Order | None:
        """The ticket's order."""
        (order,) = await info.context.service(OrderReads).orders([cast("Ticket", self).stored.order_id])
        return Order.of(order) if order else None


class OrderBuyer(OrderDossier):
    """What the staff sees of an order beyond its buyer's view."""

    @strawberry.field(description="Whether its delivery is held.")
    def held(self) -> bool:
        """Whether its delivery is held."""
        return cast("Order", self).stored.held

    @strawberry.field(description="The code of the site that it was placed in; empty: the operator's own.")
    def site(self) -> str:
        """The site that it was placed in."""
        return cast("Order", self).stored.site

    @strawberry.field(description="What came in from outside for it.")
    def received(self) -> Money:
        """What came in from outside for it."""
        order = cast("Order", self).stored
        return Money.of(Amount(order.received_minor, order.currency))

    @strawberry.field(description="Why it needs somebody; empty where it does not.")
    async def attention(self, info: Info) -> list[AttentionReason]:
        """Why it needs somebody."""
        order, reads = cast("Order", self).stored, info.context.service(OrderReads)
        tickets = await reads.tickets(order.id)
        waiting = sum(ticket.state == "OPEN" for ticket in tickets)
        return reasons(order, await reads.lines(order.id), waiting)

    @strawberry.field(description="The global id of the member who bought.")
    def member_id(self) -> strawberry.ID:
        """The buyer."""
        return strawberry.ID(global_id("Member", cast("Order", self).stored.member))
