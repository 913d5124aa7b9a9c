"""Flash sales in the back office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from kameng.graphql import Connection, Context, Info, Node, foreign, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id, key_of
from kameng_fulfilment.flash.known import FlashSale as Sale
from kameng_fulfilment.flash.planning import (
    MANAGE_FLASH_SALES,
    FlashSaleOverlaps,
    Plan,
    end_sale,
    plan_sale,
)
from kameng_fulfilment.flash.shop import FlashSaleState, state_of
from kameng_fulfilment.flash.statements import SALES_BY_ID
from kameng_fulfilment.suppliers.graphql_types import office_variants

if TYPE_CHECKING:
    Variant = Any

NEWEST = Keyset("flash-sales-newest", (("id", "uuid"),), descending=True)

_FIELDS = Sale.__struct_fields__


@strawberry.type(
    description="A flash sale: so many pieces of a variant, so many for each buyer, from a second on."
)
class FlashSale(Node):
    """A flash sale."""

    variant_id: strawberry.ID = strawberry.field(description="The global id of the variant.")
    holds_from: datetime = strawberry.field(
        description="From here until the sale opens the variant is not sold."
    )
    opens_at: datetime
    closes_at: datetime
    ended_at: datetime | None = strawberry.field(description="When staff ended it before its time.")
    quantity: int = strawberry.field(description="Pieces in all.")
    per_buyer: int = strawberry.field(description="Pieces that one buyer gets at most.")
    sold: int = strawberry.field(description="Pieces in orders that are paid or wait for their payment.")
    state: FlashSaleState
    created_at: datetime

    @strawberry.field(description="The variant, if it is still there.")
    async def variant(self, info: Info) -> Annotated[Variant, foreign("catalog")] | None:
        """The variant."""
        return await office_variants(info.context).load(key_of("Variant", self.variant_id))

    @classmethod
    def of(cls, row: Any) -> FlashSale:
        """A sale's row as GraphQL shows it."""
        sale = Sale(**{name: row[name] for name in _FIELDS})
        return cls(
            id=strawberry.ID(global_id("FlashSale", sale.id)),
            variant_id=strawberry.ID(global_id("Variant", sale.variant)),
            holds_from=sale.holds_from,
            opens_at=sale.opens_at,
            closes_at=sale.closes_at,
            ended_at=row["ended_at"],
            quantity=sale.quantity,
            per_buyer=sale.per_buyer,
            sold=sale.sold,
            state=state_of(sale, row["ended_at"]),
            created_at=row["created_at"],
        )


@strawberry.input(description="A flash sale to plan. What a piece costs is told by the catalogue's prices.")
class PlanFlashSaleInput:
    """A flash sale to plan."""

    variant_id: strawberry.ID
    opens_at: datetime = strawberry.field(description="At least ten seconds from now.")
    closes_at: datetime
    quantity: int = strawberry.field(description="Pieces in all; the variant's stock is not looked at.")
    per_buyer: int = strawberry.field(default=1, description="Pieces that one buyer gets at most.")
    holds_from: datetime | None = strawberry.field(
        default=None,
        description="From here until the sale opens the variant is not sold; from now on if left out.",
    )


@payload(FlashSaleOverlaps)
class PlanFlashSalePayload:
    """The planned sale, or why there is none."""

    flash_sale: FlashSale | None = None


@strawberry.input(description="A flash sale to end before its time.")
class EndFlashSaleInput:
    """A flash sale to end."""

    id: strawberry.ID


@payload()
class EndFlashSalePayload:
    """The sale that was ended, or why it was not."""

    flash_sale: FlashSale | None = None


@strawberry.type
class FlashSaleQuery:
    """Queries of the staff."""

    @strawberry.field(description="Flash sales, the newest first. Needs fulfilment.manage_flash_sales.")
    async def flash_sales(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[FlashSale]:
        """A page of flash sales."""
        info.context.require(MANAGE_FLASH_SALES)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(NEWEST, 1)
        rows = await info.context.db.fetch(
            f"select * from fulfilment_flash_sale where {behind} {tail}", *cursor
        )
        return page.connection(rows, NEWEST, lambda row: [row["id"]], FlashSale.of)


@strawberry.type
class FlashSaleMutation:
    """Mutations of the staff."""

    @mutation()
    async def plan_flash_sale(
        self,
        info: Info,
        input: PlanFlashSaleInput,  # noqa: A002 - GraphQL's name
    ) -> PlanFlashSalePayload:
        """Plan a flash sale. Needs fulfilment.manage_flash_sales."""
        context = info.context
        context.require(MANAGE_FLASH_SALES)
        plan = Plan(
            variant=key_of("Variant", input.variant_id),
            holds_from=input.holds_from or datetime.fromtimestamp(0, tz=input.opens_at.tzinfo),
            opens_at=input.opens_at,
            closes_at=input.closes_at,
            quantity=input.quantity,
            per_buyer=input.per_buyer,
        )
        (sale,) = await flash_sale_nodes(context, [await plan_sale(context, plan)])
        return PlanFlashSalePayload(flash_sale=sale)

    @mutation()
    async def end_flash_sale(
        self,
        info: Info,
        input: EndFlashSaleInput,  # noqa: A002 - GraphQL's name
    ) -> EndFlashSalePayload:
        """End a flash sale before its time. Needs fulfilment.manage_flash_sales."""
        context = info.context
        context.require(MANAGE_FLASH_SALES)
        return EndFlashSalePayload(
            flash_sale=FlashSale.of(await end_sale(context, key_of("FlashSale", input.id)))
        )


async def flash_sale_nodes(context: Context, keys: Sequence[UUID]) -> list[FlashSale | None]:
    """Flash sales by key, for whoever may see them."""
    if not context.principal.may(MANAGE_FLASH_SALES):
        return [None] * len(keys)
    found = {row["id"]: row for row in await context.db.fetch(SALES_BY_ID, list(keys))}
    return [FlashSale.of(found[key]) if key in found else None for key in keys]
