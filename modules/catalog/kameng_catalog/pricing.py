"""The one answer to "what does this buyer pay for this now, and why".

The rules of precedence. Of all prices of the variant in the buyer's currency that hold now, on his site or on all sites,
for his tier or for retail, from a quantity on that his order reaches, the one decides that comes first by:

1. **site**: a price of his site goes before one of all sites, whatever tier it is for: a site that has prices for a
   variant has its own list of it;
2. **tier**: a price of his own tier goes before retail, even where retail is cheaper;
3. **period**: a price whose period is running goes before one that holds always; of several, the one that began last;
4. **quantity**: the largest quantity.

So a period's price replaces the ladder that it is put upon, for all quantities from its own on; whoever wants steps in a sale
writes them. Then the **floor**: a price below the variant's cost in the same currency is raised to it, unless the variant
may be sold below its cost. A period begins at its first instant and has ended at its last, by the database's clock.

The rules stand here three times in SQL: `QUOTE` with the reasons, `units_sql` for lists, and `LADDERS` for all quantities;
a property test holds them against a model in plain Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kameng.db import Statement
from kameng.errors import Refusal
from kameng.money import UnitPrice
from kameng_catalog.contract import NotForSale, Quote, QuoteRequest, WrongQuantity
from kameng_catalog.for_sale import for_sale_sql
from kameng_catalog.price_trace import steps_to

if TYPE_CHECKING:
    from kameng.kernel import Kernel


_PRECEDENCE = "site = '', tier <> {tier}, starts_at desc nulls last, min_quantity desc"


def _ordinary(variant: str, currency: str, tier: str) -> str:
    return f"""
        select variant, units, tier, min_quantity, '' as site, null::timestamptz as starts_at, null::timestamptz as ends_at
        from catalog_price where variant = {variant} and currency = {currency} and tier in ({tier}, 'retail')"""


def _special(variant: str, currency: str, tier: str, site: str, at: str) -> str:
    return f"""
        select variant, units, tier, min_quantity, site, starts_at, ends_at
        from catalog_special_price where variant = {variant} and currency = {currency} and tier in ({tier}, 'retail')
            and site in ('', {site})
            and (starts_at is null or starts_at <= {at}) and (ends_at is null or ends_at > {at})"""


def _floor(variant: str, currency: str) -> str:
    return f"case when not {variant}.below_cost and {variant}.cost_currency = {currency} then {variant}.cost_units end"


_AT = "coalesce(r.at, now())"

QUOTE = Statement(
    "catalog.quote",
    f"""
    select v.id as variant, v.status = 'published' and {for_sale_sql("p", _AT)} as published,
        v.min_quantity, v.max_quantity, v.cost_units, v.cost_currency, {_floor("v", "r.currency")} as floor,
        price.units, price.tier, price.min_quantity as from_quantity, price.site, price.starts_at, price.ends_at
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
        with ordinality as r (variant, quantity, tier, currency, site, at, place)
    left join (catalog_variant v join catalog_product p on p.id = v.product) on v.id = r.variant
    left join lateral (
        select * from (
            {_ordinary("r.variant", "r.currency", "r.tier")} and min_quantity <= r.quantity
            union all
            {_special("r.variant", "r.currency", "r.tier", "r.site", _AT)} and min_quantity <= r.quantity
                and v.specially_priced
        ) found
        order by {_PRECEDENCE.format(tier="r.tier")}
        limit 1
    ) price on true
    order by r.place
    """,
)

# Every price that holds now for a viewer, the smallest quantity first: what decides for each quantity is the first by
# the rules among those that it reaches. Lists of one request's variants are short, so Python puts them in order.
LADDERS = Statement(
    "catalog.price_ladders",
    f"""
    select found.variant, found.site, found.tier, found.starts_at, found.min_quantity,
        greatest(found.units, {_floor("v", "$2")}) as units
    from catalog_variant v
    cross join lateral (
        {_ordinary("v.id", "$2", "$3")}
        union all
        {_special("v.id", "$2", "$3", "$4", "now()")} and v.specially_priced
    ) found
    where v.id = any($1::uuid[])
    order by found.variant, found.min_quantity
    """,
)


def units_sql(*, variant: str, currency: str, tier: str, quantity: str, site: str = "''") -> str:
    """The unit price now as an expression, null if there is none.

    For an ordinary variant, each half is one step in the unique index of the price list.

    Args:
        variant: the alias of ``catalog_variant``.
        currency, tier, quantity, site: SQL expressions.
    """
    key, floor = f"{variant}.id", _floor(variant, currency)
    own, retail = (
        f"""(
            select greatest(units, {floor}) from catalog_price
            where variant = {key} and currency = {currency} and tier = {of} and min_quantity <= {quantity}
            order by min_quantity desc limit 1
        )"""
        for of in (tier, "'retail'")
    )
    always = own if tier == "'retail'" else f"coalesce({own}, {retail})"
    return f"""case when {variant}.specially_priced then (
            select greatest(found.units, {floor}) from (
                {_ordinary(key, currency, tier)}
                union all
                {_special(key, currency, tier, site, "now()")}
            ) found
            where min_quantity <= {quantity} order by {_PRECEDENCE.format(tier=tier)} limit 1
        ) else {always} end"""


class CatalogPrices:
    """`Prices` of the contract."""

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db

    async def quote(self, requests: Sequence[QuoteRequest]) -> list[Quote | Refusal]:
        """A quote for each request, in order; `NotForSale` or `WrongQuantity` where there is none."""
        rows = await self._db.fetch(
            QUOTE,
            [request.variant for request in requests],
            # A quantity beyond the range of an integer is wrong like one a little too large.
            [min(request.quantity, 2**31 - 1) for request in requests],
            [request.tier for request in requests],
            [request.currency for request in requests],
            [request.site for request in requests],
            [request.at for request in requests],
        )
        return [_quote(request, row) for request, row in zip(requests, rows, strict=True)]


def _quote(request: QuoteRequest, row: Any) -> Quote | Refusal:
    if not row["published"]:
        return NotForSale("This is not for sale.", cure="Choose another product.")
    least, most = row["min_quantity"], row["max_quantity"]
    if not least <= request.quantity <= most:
        return WrongQuantity(
            f"One order takes {least} to {most} of this; {request.quantity} were asked for.",
            cure=f"Order {least} to {most}.",
        )
    units, floor = row["units"], row["floor"]
    if units is None:
        return NotForSale(f"This has no price in {request.currency}.", cure="Choose another product.")
    if floor is not None and floor <= units:
        floor = None
    unit = UnitPrice(units if floor is None else floor, request.currency)
    return Quote(
        unit=unit,
        total=unit.times(request.quantity),
        cost=None if row["cost_units"] is None else UnitPrice(row["cost_units"], row["cost_currency"]),
        trace=steps_to(
            units=units,
            currency=request.currency,
            tier=row["tier"],
            from_quantity=row["from_quantity"],
            site=row["site"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            floor=floor,
        ),
    )
