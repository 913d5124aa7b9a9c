"""What the staff's mutations of orders take and give."""

from __future__ import annotations

import strawberry

from kameng.graphql import Money, payload
from kameng.graphql.scalars import MoneyInput
from kameng_catalog.contract import OutOfStock
from kameng_fulfilment.contract import PaymentOutcome
from kameng_fulfilment.life_types import Ticket
from kameng_fulfilment.refund_parts import RefundTooMuch
from kameng_fulfilment.requests import IdempotencyKeyMissing
from kameng_fulfilment.states import WrongDeliveryState, WrongOrderState
from kameng_fulfilment.tickets import TicketClosed
from kameng_fulfilment.types import Order
from kameng_settlement.contract import ConfirmationDiffers, RefundTooLarge, SamePerson

_NUMBER = "The order's number."
_REASON = "Why; it stays in the order's history."

strawberry.enum(PaymentOutcome, description="What became of money that came in for an order.")


@strawberry.input(description="A payment from outside that somebody has seen.")
class ConfirmPaymentInput:
    """A payment from outside that somebody has seen."""

    number: str = strawberry.field(description=_NUMBER)
    amount: MoneyInput = strawberry.field(description="What came in.")
    reference: str = strawberry.field(
        description="What the payment is called where it came in, such as the bank's number of it. Counts once."
    )
    reason: str = strawberry.field(description="How it is known; it stays in the audit log.")


@payload(ConfirmationDiffers, SamePerson)
class ConfirmPaymentPayload:
    """The order after the payment, or why it was not taken."""

    order: Order | None = None
    outcome: PaymentOutcome | None = strawberry.field(
        default=None, description="Null: it waits for a second person, who says the same."
    )


@strawberry.input(description="An order, and why something is done with it.")
class OrderReasonInput:
    """An order, and why something is done with it."""

    number: str = strawberry.field(description=_NUMBER)
    reason: str = strawberry.field(description=_REASON)


@payload(WrongOrderState)
class CancelOrderPayload:
    """The order that was called off, or why it was not."""

    order: Order | None = None


@payload(WrongOrderState)
class HoldOrderPayload:
    """The order that is held, or why it is not."""

    order: Order | None = None


@payload(WrongOrderState)
class ReleaseOrderPayload:
    """The order that goes on, or why it does not."""

    order: Order | None = None


@strawberry.input(
    description="What to refund of a line: units or an amount; neither: all that is left of it."
)
class RefundLineInput:
    """What to refund of a line."""

    position: int = strawberry.field(description="The line's place in the order, from 1.")
    quantity: int | None = None
    amount: MoneyInput | None = None


@strawberry.input(description="A refund into the buyer's wallet.")
class RefundOrderInput:
    """A refund."""

    number: str = strawberry.field(description=_NUMBER)
    lines: list[RefundLineInput] | None = strawberry.field(
        default=None, description="Which lines; none: all that is left of the order."
    )
    reason: str = strawberry.field(description="Why; the buyer reads it.")


@payload(WrongOrderState, RefundTooMuch, RefundTooLarge, IdempotencyKeyMissing)
class RefundOrderPayload:
    """The order after the refund, or why there was none."""

    order: Order | None = None
    refunded: Money | None = strawberry.field(default=None, description="What was refunded now.")


@strawberry.input(description="What somebody delivers for a line.")
class DeliverLineInput:
    """What somebody delivers for a line."""

    number: str = strawberry.field(description=_NUMBER)
    position: int = strawberry.field(description="The line's place in the order, from 1.")
    quantity: int | None = strawberry.field(
        default=None, description="How many units; none: all that are owed."
    )
    texts: list[str] = strawberry.field(
        default_factory=list, description="Codes and messages for the buyer; kept encrypted."
    )


@payload(WrongDeliveryState, WrongOrderState)
class DeliverLinePayload:
    """The order after the delivery, or why there was none."""

    order: Order | None = None


@strawberry.input(description="A line that cannot be delivered.")
class FailLineInput:
    """A line that cannot be delivered."""

    number: str = strawberry.field(description=_NUMBER)
    position: int = strawberry.field(description="The line's place in the order, from 1.")
    reason: str = strawberry.field(description="Why; the staff reads it.")


@payload(WrongDeliveryState)
class FailLinePayload:
    """The order whose line failed, or why that was not noted."""

    order: Order | None = None


@strawberry.input(description="A note of the staff to an order.")
class AddOrderNoteInput:
    """A note of the staff to an order."""

    number: str = strawberry.field(description=_NUMBER)
    note: str = strawberry.field(description="1 to 2,000 characters; the buyer does not see it.")


@payload()
class AddOrderNotePayload:
    """The order with its note, or why there is none."""

    order: Order | None = None


@strawberry.input(description="A ticket, and what the shop answers.")
class TicketAnswerInput:
    """A ticket, and what the shop answers."""

    ticket_id: strawberry.ID
    answer: str = strawberry.field(description="What the buyer reads; 1 to 500 characters.")


@payload(TicketClosed, OutOfStock)
class ReplaceTicketCardPayload:
    """The ticket whose card was replaced, or why it was not."""

    ticket: Ticket | None = None


@payload(TicketClosed, WrongOrderState, RefundTooMuch, RefundTooLarge)
class RefundTicketCardPayload:
    """The ticket whose card was refunded, or why it was not."""

    ticket: Ticket | None = None


@payload(TicketClosed)
class RejectTicketPayload:
    """The ticket that was turned down, or why it was not."""

    ticket: Ticket | None = None
