"""What a refund would do, before anybody makes it."""

from __future__ import annotations

from enum import Enum

import strawberry

from kameng.graphql import Info, Money
from kameng.money import Money as Amount
from kameng_fulfilment import permissions
from kameng_fulfilment.acting import find_order
from kameng_fulfilment.admin_inputs import RefundLineInput
from kameng_fulfilment.admin_mutations import refunded_line
from kameng_fulfilment.orders import lines_of_orders
from kameng_fulfilment.refund_parts import refund_parts
from kameng_fulfilment.states import OWING, WrongOrderState


@strawberry.enum(description="Where a refund goes.")
class RefundDestination(Enum):
    """Where a refund goes."""

    MEMBER_WALLET = strawberry.enum_value("member", description="Into the buyer's wallet.")
    GUEST_WALLET = strawberry.enum_value(
        "guest",
        description="Into a guest's wallet, from which it goes back by the gateway, or into his account later.",
    )


@strawberry.type(description="What a refund would take of one line.")
class RefundPreviewPart:
    """What a refund would take of one line."""

    position: int
    sku: str
    quantity: int = strawberry.field(description="Units.")
    back_to_stock: int = strawberry.field(
        description="Of these, units that were not delivered: they are owed no more, and free for others."
    )
    kept_by_buyer: int = strawberry.field(
        description="Of these, units that were delivered: they stay with the buyer."
    )
    amount: Money


@strawberry.type(description="What a refund would do.")
class RefundPreview:
    """What a refund would do."""

    amount: Money = strawberry.field(description="Altogether.")
    left: Money = strawberry.field(description="What could still be refunded afterwards.")
    whole: bool = strawberry.field(description="Whether nothing is left of the order afterwards.")
    destination: RefundDestination
    parts: list[RefundPreviewPart]


@strawberry.type
class RefundPreviewQuery:
    """Looking ahead."""

    @strawberry.field(
        description="What refundOrder would do with the same input; changes nothing. Needs fulfilment.refund_orders."
    )
    async def refund_preview(
        self, info: Info, number: str, lines: list[RefundLineInput] | None = None
    ) -> RefundPreview | None:
        """What a refund would do; the same refusals as the refund itself."""
        context = info.context
        context.require(permissions.REFUND_ORDERS)
        order = await find_order(context, number)
        if order.state not in OWING and order.state != "COMPLETED":
            raise WrongOrderState(
                f"Order {order.number} is {order.state}: there is nothing to refund.",
                cure="Only what was paid can be refunded, and once.",
            )
        bought = (await lines_of_orders(context.db, [order.id]))[order.id]
        # A row of a form in which nobody wrote anything asks for nothing.
        asked = [item for item in lines or () if item.quantity is not None or item.amount is not None]
        parts = refund_parts(order, bought, [refunded_line(item, bought, order) for item in asked])
        amount = sum(part.amount for part in parts)
        left = order.total_minor - order.refunded_minor - amount
        return RefundPreview(
            amount=Money.of(Amount(amount, order.currency)),
            left=Money.of(Amount(left, order.currency)),
            whole=left == 0,
            destination=RefundDestination(order.buyer_kind),
            parts=[
                RefundPreviewPart(
                    position=part.line.position,
                    sku=part.line.sku,
                    quantity=part.quantity,
                    back_to_stock=part.withdrawn,
                    kept_by_buyer=part.quantity - part.withdrawn,
                    amount=Money.of(Amount(part.amount, order.currency)),
                )
                for part in parts
            ],
        )
