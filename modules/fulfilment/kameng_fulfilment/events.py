"""The facts that fulfilment publishes."""

import msgspec

from kameng.events import Event


class SoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order, as events tell it.

    Attributes:
        line, variant, product: keys.
        sku: the variant's number.
        quantity: units sold.
        total_minor: the line's total in minor units.
        cost_minor: what these units cost the operator, in minor units; 0 where unknown.
    """

    line: str
    variant: str
    product: str
    sku: str
    quantity: int
    total_minor: int
    cost_minor: int = 0


class OrderCompleted(Event, frozen=True, kw_only=True):
    """An order was paid and delivered whole.

    Attributes:
        order: its key.
        number: its number, as buyers see it.
        member: the buyer's key.
        total_minor, currency: what was paid.
        completed_at: ISO 8601, UTC.
        lines: what was sold.
    """

    name = "fulfilment.order_completed"
    order: str
    number: str
    member: str
    total_minor: int
    currency: str
    completed_at: str
    lines: tuple[SoldLine, ...]
    buyer_kind: str = "member"


class OrderFact(Event, frozen=True, kw_only=True):
    """What the events below have in common. They hold no secret and nobody's address.

    Attributes:
        order: its key.
        number: its number, as buyers see it.
        buyer: the buyer's key.
        buyer_kind: ``member`` or ``guest``.
        total_minor, currency: what the order costs.
        at: when it happened; ISO 8601, UTC.
    """

    order: str
    number: str
    buyer: str
    buyer_kind: str
    total_minor: int
    currency: str
    at: str


class OrderPlaced(OrderFact, frozen=True, kw_only=True):
    """An order was placed that was not paid and delivered in the same moment.

    Attributes:
        payment: ``WALLET`` or ``OUTSIDE``.
        reserved_until: until when its stock is kept for a payment from outside; ISO 8601, or none.
    """

    name = "fulfilment.order_placed"
    payment: str
    reserved_until: str | None = None


class OrderPaid(OrderFact, frozen=True, kw_only=True):
    """An order was paid that was not delivered in the same moment as it was placed."""

    name = "fulfilment.order_paid"


class OrderLineDelivered(OrderFact, frozen=True, kw_only=True):
    """Something of a line was delivered, other than in the moment in which the order was placed.

    Attributes:
        line, variant: keys.
        sku: the variant's number.
        quantity: units that were delivered now.
        remaining: units that are still owed.
    """

    name = "fulfilment.order_line_delivered"
    line: str
    variant: str
    sku: str
    quantity: int
    remaining: int


class LineCostChanged(OrderFact, frozen=True, kw_only=True):
    """A line cost the shop more than its delivery told: a bad card was replaced.

    Attributes:
        line: its key.
    """

    name = "fulfilment.line_cost_changed"
    line: str


class OrderRefunded(OrderFact, frozen=True, kw_only=True):
    """Something of an order was paid back into the buyer's wallet.

    Attributes:
        refund: the refund's key.
        amount_minor: what was paid back now.
        refunded_minor: what was paid back in all.
        whole: whether nothing of the order is left.
    """

    name = "fulfilment.order_refunded"
    refund: str
    amount_minor: int
    refunded_minor: int
    whole: bool


class OrderCancelled(OrderFact, frozen=True, kw_only=True):
    """An order was called off before it was paid."""

    name = "fulfilment.order_cancelled"


class OrderExpired(OrderFact, frozen=True, kw_only=True):
    """An order was not paid in time; its stock is for sale again."""

    name = "fulfilment.order_expired"


class OrderWasClaimed(OrderFact, frozen=True, kw_only=True):
    """A guest's order was taken into a member's account; its buyer is the member from now on.

    Attributes:
        guest: the buyer's key until then.
    """

    name = "fulfilment.order_claimed"
    guest: str


class OrderHeld(OrderFact, frozen=True, kw_only=True):
    """The delivery of an order was stopped until somebody has looked at it."""

    name = "fulfilment.order_held"


class OrderReleased(OrderFact, frozen=True, kw_only=True):
    """An order that was held goes on."""

    name = "fulfilment.order_released"
