"""Orders that need a person: paid, and neither delivered nor refunded."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import strawberry

from kameng_fulfilment.orders import StoredLine, StoredOrder
from kameng_fulfilment.states import OWING


@strawberry.enum(description="Why an order needs somebody.")
class AttentionReason(Enum):
    """Why an order needs somebody."""

    REVIEW = strawberry.enum_value("REVIEW", description="It is held.")
    FAILED = strawberry.enum_value("FAILED", description="A line could not be delivered.")
    SHORT_OF_STOCK = strawberry.enum_value("SHORT_OF_STOCK", description="A line waits for stock.")
    TO_DELIVER = strawberry.enum_value("TO_DELIVER", description="A line waits for somebody to deliver it.")
    AT_SUPPLIER = strawberry.enum_value("AT_SUPPLIER", description="A line waits for its supplier.")
    OPEN_TICKET = strawberry.enum_value("OPEN_TICKET", description="A card is complained about.")


UNFINISHED = "state in ('PAID', 'DELIVERING', 'PARTLY_DELIVERED', 'REVIEW')"
"""The condition of paid orders of which something is owed; served by the index fulfilment_order_attention."""


def reasons(order: StoredOrder, lines: Sequence[StoredLine], open_tickets: int) -> list[AttentionReason]:
    """Why an order needs somebody; empty where it does not."""
    found: set[AttentionReason] = set()
    if open_tickets:
        found.add(AttentionReason.OPEN_TICKET)
    if order.state in OWING:
        if order.state == "REVIEW":
            found.add(AttentionReason.REVIEW)
        found |= {_reason(line) for line in lines if line.remaining}
    return [reason for reason in AttentionReason if reason in found]


def _reason(line: StoredLine) -> AttentionReason:
    if line.delivery_state == "FAILED":
        return AttentionReason.FAILED
    if line.delivery == "instant":
        return AttentionReason.SHORT_OF_STOCK
    return AttentionReason.TO_DELIVER if line.delivery == "manual" else AttentionReason.AT_SUPPLIER
