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
