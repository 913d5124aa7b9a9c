"""Prices, their reasons and their history as the staff sees them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.db import Statement
from kameng.errors import Refusal
from kameng.graphql import Connection, Info, Money, Node
from kameng.graphql.nested import by_owner, for_each, pages_of
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id
from kameng_catalog.contract import RETAIL, Prices, Quote, QuoteRequest
from kameng_catalog.price_steps import PriceStepShown, step_shown
from kameng_catalog.prices_shown import price_shown
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng_catalog.admin.loaders import AdminLoaders

_NEWEST = Keyset("price-changes", (("h.id", "bigint"),), descending=True)


@strawberry.type(description="What buyers of a tier pay for one, from a quantity on.")
class VariantPrice:
    """A price of a variant."""

    tier: str
    from_quantity: int
    unit: Money
    updated_at: datetime
    site: str | None = strawberry.field(description="Where it holds; null: on all sites.")
    starts_at: datetime | None = strawberry.field(description="When its period begins, if it has one.")
    ends_at: datetime | None = strawberry.field(
        description="The first instant at which it holds no more; null: it holds for good."
    )


@strawberry.enum(description="What was changed.")
class PriceChangeKind(Enum):
    """What was changed."""

    PRICE = strawberry.enum_value("price", description="What buyers pay.")
    COST = strawberry.enum_value("cost", description="What one costs us.")


@strawberry.type(name="PriceChange", description="A price or cost that was set, changed or taken away.")
class PriceChangeEntry(Node):
    """An entry of the history."""

    what: PriceChangeKind
    tier: str | None = strawberry.field(description="Whose price it is; null for a cost.")
    from_quantity: int
    site: str | None = strawberry.field(description="Where it holds; null: on all sites.")
    starts_at: datetime | None
    ends_at: datetime | None
    old: Money | None = strawberry.field(description="Null: there was none.")
    new: Money | None = strawberry.field(description="Null: it was taken away.")
    changed_by: str = strawberry.field(description="Who did it, such as `staff:0189…`.")
    source: str = strawberry.field(description="By what way, such as `admin`, `import` or a job.")
    reason: str
    at: datetime


@strawberry.type(name="PriceQuote", description="What a buyer would pay, and why.")
class QuoteShown:
    """A quote."""

    unit: Money | None = strawberry.field(description="The price of one; null if it would not be sold.")
    total: Money | None
    trace: list[PriceStepShown] = strawberry.field(
        description="The steps that lead to the price, in the order in which they decide."
    )
    refusal: str | None = strawberry.field(description="Why it would not be sold.")


@strawberry.type
class PriceFields:
    """The fields of a variant that tell of its prices."""

    key: strawberry.Private[UUID]

    @strawberry.field(description="All prices: retail first, then the other tiers.")
    async def prices(self, info: Info) -> list[VariantPrice]:
        """All prices."""
        return await _loaders(info).prices.load(self.key)

    @strawberry.field(
        description="How its prices and costs came to be what they are, the newest change first."
    )
    async def price_history(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[PriceChangeEntry]:
        """A page of the history."""
        page, context = PageRequest.of(first, after, last, before), info.context
        loader = pages_of(
            context, "catalog.price_history", page, _NEWEST, partial(_history_of, context, page)
        )
        return await loader.load(self.key)

    @strawberry.field(description="What a buyer would pay for it in the shop's currency, and why.")
    async def quote(
        self, info: Info, quantity: int = 1, tier: str = RETAIL, site: str = "", at: datetime | None = None
    ) -> QuoteShown:
        """By the function that lists, carts and orders ask."""
        currency = info.context.kernel.settings.section("catalog", CatalogSettings).currency
        request = QuoteRequest(
            variant=self.key, quantity=quantity, tier=tier, currency=currency, site=site, at=at
        )
        answer = await info.context.loader("catalog.quotes", _quotes).load(request)
        return _quote_shown(answer, info.context.locale)


async def _history_of(
    context: Context, page: PageRequest, variants: list[UUID]
) -> list[Connection[PriceChangeEntry]]:
    behind, tail, cursor = page.clauses(_NEWEST, 2)
    sql = for_each(f"select h.* from catalog_price_change h where h.variant = owner.key and {behind} {tail}")
    rows = await context.db.fetch(Statement("catalog.price_history", sql), variants, *cursor)
    return [
        page.connection(group, _NEWEST, lambda row: [row["id"]], change_of)
        for group in by_owner(rows, variants)
    ]


def _quotes(context: Context) -> DataLoader[QuoteRequest, Quote | Refusal]:
    return DataLoader(context.service(Prices).quote)


def _quote_shown(answer: Quote | Refusal, locale: str) -> QuoteShown:
    if isinstance(answer, Refusal):
        return QuoteShown(unit=None, total=None, trace=[], refusal=answer.message)
    return QuoteShown(
        unit=price_shown(answer.unit.units, answer.unit.currency),
        total=Money.of(answer.total),
        trace=[step_shown(step, locale) for step in answer.trace],
        refusal=None,
    )


def price_of(row: Any) -> VariantPrice:
    """The price in a row."""
    return VariantPrice(
        tier=row["tier"],
        from_quantity=row["min_quantity"],
        unit=price_shown(row["units"], row["currency"]),
        updated_at=row["updated_at"],
        site=row["site"] or None,
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
    )


def change_of(row: Any) -> PriceChangeEntry:
    """The entry in a row."""
    old, new = (
        None if units is None else price_shown(units, row["currency"])
        for units in (row["old_units"], row["new_units"])
    )
    return PriceChangeEntry(
        id=strawberry.ID(global_id("PriceChange", UUID(int=row["id"]))),
        what=PriceChangeKind(row["what"]),
        tier=row["tier"] or None,
        from_quantity=row["min_quantity"],
        site=row["site"] or None,
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        old=old,
        new=new,
        changed_by=row["changed_by"],
        source=row["source"],
        reason=row["reason"],
        at=row["at"],
    )


def _loaders(info: Info) -> AdminLoaders:
    from kameng_catalog.admin.loaders import admin_loaders  # the loaders make these types

    return admin_loaders(info.context)
