"""Having an order paid through a gateway, in the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from kameng.auth import PrincipalKind
from kameng.errors import NotFound
from kameng.graphql import Info, foreign, mutation, payload
from kameng.graphql.node import load_nodes
from kameng.ids import global_id
from kameng_fulfilment.guests.lookup import own_order
from kameng_fulfilment.guests.refusals import OrderClaimed, OrderSecretNeeded
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.online.asking import open_order_payment
from kameng_fulfilment.orders import order_by_number
from kameng_fulfilment.states import WrongOrderState

if TYPE_CHECKING:
    Payment = Any  # a type of settlement


@strawberry.input(description="An order of yours to pay.")
class PayOrderInput:
    """An order to pay."""

    number: str = strawberry.field(description="The order's number.")


@payload(WrongOrderState)
class PayOrderPayload:
    """The payment to begin, or why there is none."""

    payment: Annotated[Payment, foreign("settlement")] | None = None


@strawberry.input(description="A guest's order to pay.")
class PayGuestOrderInput:
    """A guest's order to pay."""

    number: str = strawberry.field(description="The order's number.")
    secret: str | None = strawberry.field(
        default=None,
        description="The order's secret; left out where this visitor or member has opened it within the last half hour.",
    )


@payload(WrongOrderState, OrderClaimed, OrderSecretNeeded)
class PayGuestOrderPayload:
    """The number of the payment to begin, or why there is none. Whoever knows it may begin and watch the payment."""

    payment_number: str | None = None


@strawberry.type
class OnlineMutation:
    """Mutations of the shop about paying orders."""

    @mutation
    async def pay_order(self, info: Info, input: PayOrderInput) -> PayOrderPayload:  # noqa: A002 - GraphQL's name
        """Open a payment of what is left to pay of an order of yours; begin it by startPayment. Repeating gives the same one."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        order = await order_by_number(context.db, read_number(input.number))
        if order is None or order.member != member:
            raise NotFound(
                "There is no such order among yours.", cure="Check the number, or log in as its buyer."
            )
        opened = await open_order_payment(context.kernel, order, context.principal.key)
        nodes = context.kernel.schemas["shop"].nodes
        (payment,) = await load_nodes(context, nodes, [global_id("Payment", opened.payment)])
        return PayOrderPayload(payment=payment)

    @mutation(idempotency="none")
    async def pay_guest_order(self, info: Info, input: PayGuestOrderInput) -> PayGuestOrderPayload:  # noqa: A002 - GraphQL's name
        """Open a payment of what is left to pay of a guest's order; begin it by startPayment. Repeating gives the same one."""
        context = info.context
        order = await own_order(context, input.number, input.secret)
        opened = await open_order_payment(context.kernel, order, f"guest:{order.member}")
        return PayGuestOrderPayload(payment_number=opened.number)
