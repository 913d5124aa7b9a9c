"""Fulfilment's part of the shop schema after an order was placed: calling it off, and complaining about cards."""

from __future__ import annotations

import strawberry

from kameng.auth import PrincipalKind
from kameng.errors import NotFound
from kameng.graphql import Context, Info, mutation, payload
from kameng.ids import key_of
from kameng_fulfilment.life_types import Ticket
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import StoredOrder, order_by_number, orders_by_id
from kameng_fulfilment.states import WrongOrderState
from kameng_fulfilment.tickets import (
    TicketClosed,
    TicketNotAllowed,
    TicketTooLate,
    open_ticket,
    withdraw_ticket,
)
from kameng_fulfilment.types import Order
from kameng_fulfilment.unpaid import cancel_unpaid


@strawberry.input(description="An order of yours to call off.")
class CancelOrderInput:
    """An order to call off."""

    number: str = strawberry.field(description="The order's number.")


@payload(WrongOrderState)
class CancelOrderPayload:
    """The order that was called off, or why it was not."""

    order: Order | None = None


@strawberry.input(description="A card that does not work.")
class OpenTicketInput:
    """A card that does not work."""

    number: str = strawberry.field(description="The order's number.")
    position: int = strawberry.field(description="The line's place in the order, from 1.")
    card_key: str = strawberry.field(description="`DeliveredCard.key`.")
    evidence: str = strawberry.field(description="What happened, in your words.")


@payload(TicketTooLate, TicketNotAllowed)
class OpenTicketPayload:
    """The ticket, or why there is none."""

    ticket: Ticket | None = None
    order: Order | None = None


@strawberry.input(description="A ticket of yours to take back.")
class WithdrawTicketInput:
    """A ticket to take back."""

    ticket_id: strawberry.ID


@payload(TicketClosed)
class WithdrawTicketPayload:
    """The ticket that was taken back, or why it was not."""

    ticket: Ticket | None = None


@strawberry.type
class AfterOrderMutation:
    """Mutations of the shop about orders that were placed."""

    @mutation
    async def cancel_order(self, info: Info, input: CancelOrderInput) -> CancelOrderPayload:  # noqa: A002 - GraphQL's name
        """Call an order of yours off that is not paid yet."""
        context = info.context
        order = await _own_order(context, input.number)
        cancelled = await cancel_unpaid(
            context.kernel, order.id, context.principal.key, "called off by its buyer"
        )
        return CancelOrderPayload(order=Order.of(cancelled))

    @mutation
    async def open_ticket(self, info: Info, input: OpenTicketInput) -> OpenTicketPayload:  # noqa: A002 - GraphQL's name
        """Complain about a card that does not work. The shop may replace it at once."""
        context = info.context
        order = await _own_order(context, input.number)
        ticket = await open_ticket(
            context.kernel, order.id, input.position, input.card_key, input.evidence, order.member
        )
        now = (await orders_by_id(context.db, [order.id]))[order.id]
        return OpenTicketPayload(ticket=Ticket.of(ticket), order=Order.of(now))

    @mutation
    async def withdraw_ticket(
        self,
        info: Info,
        input: WithdrawTicketInput,  # noqa: A002 - GraphQL's name
    ) -> WithdrawTicketPayload:
        """Take a ticket of yours back."""
        member = info.context.principal.require_kind(PrincipalKind.MEMBER)
        ticket = await withdraw_ticket(info.context.kernel, key_of("Ticket", input.ticket_id), member)
        return WithdrawTicketPayload(ticket=Ticket.of(ticket))


async def _own_order(context: Context, number: str) -> StoredOrder:
    member = context.principal.require_kind(PrincipalKind.MEMBER)
    order = await order_by_number(context.db, read_number(number))
    if order is None or order.member != member:
        raise NotFound(
            "There is no such order among yours.", cure="Check the number, or log in as its buyer."
        )
    return order
