"""What the shop shows of flash sales."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast

import strawberry

from kameng.graphql import Info
from kameng_fulfilment.flash.known import FlashSale, KnownSales


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


class OnSale:
    """What fulfilment adds to a variant in the shop."""

    @strawberry.field(
        description="The flash sale that runs or comes next, if there is one. Known to about a second; whether somebody gets a "
        "piece is decided when he orders."
    )
    async def flash_sale(self, info: Info) -> VariantFlashSale | None:
        """The next or running flash sale."""
        known = await info.context.service(KnownSales).read()
        for sale in known.get(cast("Any", self).key, ()):
            state = state_of(sale)
            if state is not FlashSaleState.OVER:
                return VariantFlashSale(
                    opens_at=sale.opens_at,
                    closes_at=sale.closes_at,
                    quantity=sale.quantity,
                    per_buyer=sale.per_buyer,
                    remaining=sale.quantity - sale.sold,
                    state=state,
                )
        return None
