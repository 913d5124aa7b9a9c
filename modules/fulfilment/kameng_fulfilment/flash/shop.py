"""What the shop shows of flash sales."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum

import strawberry

from kameng_fulfilment.flash.known import FlashSale


@strawberry.enum(description="Where a flash sale stands.")
class FlashSaleState(Enum):
    """Where a flash sale stands."""

    UPCOMING = "UPCOMING"
    OPEN = "OPEN"
    SOLD_OUT = "SOLD_OUT"
    OVER = "OVER"


def state_of(sale: FlashSale, ended_at: datetime | None = None) -> FlashSaleState:
    """Where a sale stands at this moment."""
    now = datetime.now(UTC)
    if ended_at is not None or now >= sale.closes_at:
        return FlashSaleState.OVER
    if now < sale.opens_at:
        return FlashSaleState.UPCOMING
    return FlashSaleState.SOLD_OUT if sale.sold >= sale.quantity else FlashSaleState.OPEN


@strawberry.type(
    description="A flash sale of a variant: so many pieces, so many for each buyer, from a second on."
)
class VariantFlashSale:
    """A flash sale, as a buyer sees it."""

    opens_at: datetime = strawberry.field(description="The first moment at which it is sold.")
    closes_at: datetime = strawberry.field(description="The first moment at which it is not sold any more.")
    quantity: int = strawberry.field(description="Pieces in all.")
    per_buyer: int = strawberry.field(description="Pieces that one buyer gets at most.")
    remaining: int = strawberry.field(description="Pieces left, as of about a second ago.")
    state: FlashSaleState
