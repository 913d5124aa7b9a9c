"""The one answer to "what does this buyer pay for this now, and why"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kameng.db import Statement
from kameng.errors import Refusal
from kameng.money import UnitPrice
from kameng_catalog.contract import NotForSale, Quote, QuoteRequest, WrongQuantity

if TYPE_CHECKING:
    from kameng.kernel import Kernel


# The rule of prices: the buyer's own tier goes before retail, even where retail is cheaper; within a tier the largest
# quantity that the order reaches decides. It stands here twice, once with its reasons and once for reading many.

QUOTE = Statement(
    "catalog.quote",
    """
    select v.id as variant, v.status = 'published' and p.status = 'published' as published,
        v.min_quantity, v.max_quantity, v.cost_units, v.cost_currency,
        price.units, price.tier, price.min_quantity as from_quantity
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[])
        with ordinality as r (variant, quantity, tier, currency, place)
    left join (catalog_variant v join catalog_product p on p.id = v.product) on v.id = r.variant
    left join lateral (
        select units, tier, min_quantity from catalog_price
        where variant = r.variant and currency = r.currency and tier in (r.tier, 'retail')
            and min_quantity <= r.quantity
        order by tier = r.tier desc, min_quantity desc
        limit 1
    ) price on true
    order by r.place
    """,
)


def units_sql(*, variant: str, currency: str, tier: str, quantity: str) -> str:
    """The unit price as an expression, null if there is none: each half is one step in the unique index.

    Args:
        variant, currency, tier, quantity: SQL expressions.
    """
    own, retail = (
        f"""(
            select units from catalog_price
            where variant = {variant} and currency = {currency} and tier = {of} and min_quantity <= {quantity}
            order by min_quantity desc limit 1
        )"""
        for of in (tier, "'retail'")
    )
    return f"coalesce({own}, {retail})"


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
    if row["units"] is None:
        return NotForSale(f"This has no price in {request.currency}.", cure="Choose another product.")
    unit = UnitPrice(row["units"], request.currency)
    return Quote(
        unit=unit,
        total=unit.times(request.quantity),
        cost=None if row["cost_units"] is None else UnitPrice(row["cost_units"], row["cost_currency"]),
        trace=(_step(row["tier"], unit, row["from_quantity"]),),
    )


def _step(tier: str, unit: UnitPrice, from_quantity: int) -> str:
    amount = f"{unit.amount:f}".rstrip("0")
    whole, _, decimals = amount.partition(".")
    step = f"{tier} {whole}.{decimals.ljust(2, '0')}"
    return f"{step} from {from_quantity} pieces" if from_quantity > 1 else step
