"""What fulfilment tells of a variant before it is bought: its flash sale, how soon it comes, how long one may complain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.errors import InvalidInput
from kameng.graphql import Context, Info, foreign
from kameng.graphql.node import load_nodes
from kameng.ids import global_id
from kameng_fulfilment.flash.known import KnownSales
from kameng_fulfilment.flash.shop import FlashSaleState, VariantFlashSale, state_of
from kameng_fulfilment.service_desk.statements import SERVICE_TIMES
from kameng_fulfilment.settings import FulfilmentSettings

if TYPE_CHECKING:
    Variant = Any  # a type of the catalogue

MOST_SALES = 50
"""Flash sales that are told at once."""

_TIMES = object()


class OfferedVariant:
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

    @strawberry.field(
        description="Within how many minutes of its payment it is delivered where people deliver it."
    )
    async def service_minutes(self, info: Info) -> int:
        """Its own time, or the shop's."""
        own = await info.context.loader(_TIMES, _time_loader).load(cast("Any", self).key)
        return own if own is not None else _settings(info.context).service_minutes


def _time_loader(context: Context) -> DataLoader[UUID, int | None]:
    async def load(variants: list[UUID]) -> list[int | None]:
        rows = await context.db.fetch(SERVICE_TIMES, variants)
        found = {row["variant"]: row["minutes"] for row in rows}
        return [found.get(key) for key in variants]

    return DataLoader(load)


def _settings(context: Context) -> FulfilmentSettings:
    return context.kernel.settings.section("fulfilment", FulfilmentSettings)


@strawberry.type
class OfferQuery:
    """Queries of the shop."""

    @strawberry.field(
        description="Variants with a flash sale that runs or comes, those that run first, then the earliest. At most `first` of "
        "them, 50 at most."
    )
    async def flash_sales(self, info: Info, first: int = 12) -> list[Annotated[Variant, foreign("catalog")]]:
        """Those that the shop sells; known to about a second."""
        if not 1 <= first <= MOST_SALES:
            raise InvalidInput(f"Ask for 1 to {MOST_SALES} flash sales.", path=("first",))
        context = info.context
        known = await context.service(KnownSales).read()
        # A variant's first sale that is not over is the one that it shows.
        coming = [
            (state is FlashSaleState.UPCOMING, sale.opens_at, sale.variant)
            for sales in known.values()
            for sale in sales[:1]
            if (state := state_of(sale)) is not FlashSaleState.OVER
        ]
        ids = [global_id("Variant", variant) for _, _, variant in sorted(coming)[:first]]
        found = await load_nodes(context, context.kernel.schemas["shop"].nodes, ids)
        return [variant for variant in found if variant is not None]

    @strawberry.field(description="For how many days after its delivery a card can be complained about.")
    def complaint_days(self, info: Info) -> int:
        """The shop's rule."""
        return _settings(info.context).ticket_days
