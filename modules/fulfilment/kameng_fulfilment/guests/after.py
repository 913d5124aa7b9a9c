"""A guest's order after it was placed, in the shop schema: opening it, calling it off, complaining, taking it into an account.

None of these keeps its result for the idempotency key: it would be somebody's order in the clear, and a visitor is nobody
whose results could be told from those of others. Each is safe to repeat by itself.
"""

from __future__ import annotations

import strawberry

from kameng.auth import PrincipalKind
from kameng.graphql import Info, mutation, payload
from kameng.ids import key_of
from kameng_fulfilment.guests.acting import cancel_own, complain, take_back
from kameng_fulfilment.guests.claiming import claim_order
from kameng_fulfilment.guests.lookup import FoundOrder, find_order, own_order
from kameng_fulfilment.guests.openings import remember
from kameng_fulfilment.guests.refusals import OrderClaimed, OrderSecretNeeded
from kameng_fulfilment.guests.types import GuestOrder
from kameng_fulfilment.life_types import Ticket
from kameng_fulfilment.orders import StoredOrder, orders_by_id
from kameng_fulfilment.states import WrongOrderState
from kameng_fulfilment.tickets import TicketClosed, TicketNotAllowed, TicketTooLate
from kameng_fulfilment.types import Order

_SHOWN = "The order's secret; left out where this visitor or member has opened it within the last half hour."


@strawberry.input(description="What opens a guest's order.")
class OpenGuestOrderInput:
    """What opens a guest's order."""

    number: str = strawberry.field(description="The order's number.")
    secret: str = strawberry.field(description="Its secret, or a pass from `lookUpOrder`, which shows less.")


@payload(OrderClaimed)
class OpenGuestOrderPayload:
    """The order, which stays open for this visitor or member for half an hour, or the one answer to all that is wrong."""

    order: GuestOrder | None = None
    visitor_token: str | None = strawberry.field(
        default=None,
        description="By what this visitor is known from now on: browsers get it as a cookie, others send it in the header "
        "Kameng-Visitor.",
    )


@strawberry.input(description="A guest's order to call off.")
class CancelGuestOrderInput:
    """A guest's order to call off."""

    number: str = strawberry.field(description="The order's number.")
    secret: str | None = strawberry.field(default=None, description=_SHOWN)


@payload(WrongOrderState, OrderClaimed, OrderSecretNeeded)
class CancelGuestOrderPayload:
    """The order that was called off, or why it was not."""

    order: GuestOrder | None = None


@strawberry.input(description="A card of a guest's order that does not work.")
class OpenGuestTicketInput:
    """A card of a guest's order that does not work."""

    number: str = strawberry.field(description="The order's number.")
    secret: str | None = strawberry.field(default=None, description=_SHOWN)
    position: int = strawberry.field(description="The line's place in the order, from 1.")
    card_key: str = strawberry.field(description="`DeliveredCard.key`.")
    evidence: str = strawberry.field(description="What happened, in your words.")


@payload(TicketTooLate, TicketNotAllowed, OrderClaimed, OrderSecretNeeded)
class OpenGuestTicketPayload:
    """The ticket, or why there is none."""

    ticket: Ticket | None = None
    order: GuestOrder | None = None


@strawberry.input(description="A ticket about a guest's order to take back.")
class WithdrawGuestTicketInput:
    """A ticket about a guest's order to take back."""

    number: str = strawberry.field(description="The order's number.")
    secret: str | None = strawberry.field(default=None, description=_SHOWN)
    ticket_id: strawberry.ID


@payload(TicketClosed, OrderClaimed, OrderSecretNeeded)
class WithdrawGuestTicketPayload:
    """The ticket that was taken back, or why it was not."""

    ticket: Ticket | None = None
    order: GuestOrder | None = None


@strawberry.input(description="A guest's order to take into your account.")
class ClaimGuestOrderInput:
    """A guest's order to take into one's account."""

    number: str = strawberry.field(description="The order's number.")
    secret: str | None = strawberry.field(default=None, description=_SHOWN)


@payload(OrderClaimed, OrderSecretNeeded)
class ClaimGuestOrderPayload:
    """The order, which is yours now, or why it is not."""

    order: Order | None = None


@strawberry.type
class GuestOrderMutation:
    """Mutations of the shop about guests' orders."""

    @mutation(idempotency="none")
    async def open_guest_order(self, info: Info, input: OpenGuestOrderInput) -> OpenGuestOrderPayload:  # noqa: A002 - GraphQL's name
        """Open a guest's order with its secret: for half an hour it need not be shown again."""
        context = info.context
        found = await find_order(context, input.number, input.secret)
        known = await remember(context, found.order.number, found.order.id, found.opened)
        return OpenGuestOrderPayload(
            order=GuestOrder.of(found), visitor_token=(context.visitor or None) if known else None
        )

    @mutation(idempotency="none")
    async def cancel_guest_order(self, info: Info, input: CancelGuestOrderInput) -> CancelGuestOrderPayload:  # noqa: A002 - GraphQL's name
        """Call a guest's order off that is not paid yet."""
        order = await own_order(info.context, input.number, input.secret)
        return CancelGuestOrderPayload(order=_shown(await cancel_own(info.context.kernel, order)))

    @mutation(idempotency="none")
    async def open_guest_ticket(self, info: Info, input: OpenGuestTicketInput) -> OpenGuestTicketPayload:  # noqa: A002 - GraphQL's name
        """Complain about a card of a guest's order that does not work. The shop may replace it at once."""
        context = info.context
        order = await own_order(context, input.number, input.secret)
        ticket = await complain(context.kernel, order, input.position, input.card_key, input.evidence)
        return OpenGuestTicketPayload(ticket=Ticket.of(ticket), order=await _now(info, order))

    @mutation(idempotency="none")
    async def withdraw_guest_ticket(
        self,
        info: Info,
        input: WithdrawGuestTicketInput,  # noqa: A002 - GraphQL's name
    ) -> WithdrawGuestTicketPayload:
        """Take a ticket about a guest's order back."""
        context = info.context
        order = await own_order(context, input.number, input.secret)
        ticket = await take_back(context.kernel, order, key_of("Ticket", input.ticket_id))
        return WithdrawGuestTicketPayload(ticket=Ticket.of(ticket), order=await _now(info, order))

    @mutation(idempotency="none")
    async def claim_guest_order(self, info: Info, input: ClaimGuestOrderInput) -> ClaimGuestOrderPayload:  # noqa: A002 - GraphQL's name
        """Take a guest's order into your account, with what of its money is here. Its secret opens nothing from then on."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        order = await own_order(context, input.number, input.secret, claimed_by=member)
        return ClaimGuestOrderPayload(order=Order.of(await claim_order(context.kernel, order.id, member)))


def _shown(order: StoredOrder) -> GuestOrder:
    return GuestOrder.of(FoundOrder(order, opened=True))


async def _now(info: Info, order: StoredOrder) -> GuestOrder:
    return _shown((await orders_by_id(info.context.db, [order.id]))[order.id])
