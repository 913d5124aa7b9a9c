"""The rules of prices, held against a model in plain Python: by quote, in lists, and for all quantities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kameng.db import Statement
from kameng_catalog.contract import Quote, QuoteRequest
from kameng_catalog.pricing import LADDERS, units_sql
from kameng_catalog.shop.loaders import _ladder

from .conftest import Shop

TIERS = ("retail", "gold", "agent-1")
SITES = ("", "north", "south")
HOURS = (-3, -2, -1, 1, 2, 3)
"""Periods begin and end at these hours from now."""


class Price(NamedTuple):
    """A price; hours are counted from now."""

    tier: str
    quantity: int
    currency: str
    site: str
    start: int | None
    end: int | None
    units: int


class Question(NamedTuple):
    """What is asked for."""

    quantity: int
    tier: str
    currency: str
    site: str
    hour: int
    """0: now; otherwise half an hour after that hour."""


def expected(
    prices: list[Price], question: Question, cost: tuple[int, str] | None, *, below_cost: bool
) -> int | None:
    """The rules, in plain words."""
    at = question.hour + 0.5 if question.hour else 0
    holding = [
        price
        for price in prices
        if price.currency == question.currency
        and price.site in ("", question.site)
        and price.tier in ("retail", question.tier)
        and price.quantity <= question.quantity
        and (price.start is None or price.start <= at)
        and (price.end is None or at < price.end)
    ]
    # First the site's own prices, if there are any
    holding = [price for price in holding if price.site] or holding
    # of these the own tier's
    holding = [price for price in holding if price.tier == question.tier] or holding
    # of these the period that began last
    began = [price.start for price in holding if price.start is not None]
    holding = [price for price in holding if price.start == max(began)] if began else holding
    # and of these the largest quantity
    if not holding:
        return None
    units = max(holding, key=lambda price: price.quantity).units
    floor = cost is not None and cost[1] == question.currency and not below_cost
    return max(units, cost[0]) if floor and cost else units


def _known(price: Price) -> tuple[Any, ...]:
    return price[:5]


@st.composite
def price_lists(draw: st.DrawFn) -> list[Price]:
    """Some prices, each place of the list once."""
    amount = st.integers(0, 300)
    found = []
    for _ in range(draw(st.integers(0, 14))):
        start, end = None, None
        if draw(st.booleans()):
            start = draw(st.sampled_from(HOURS[:-1]))
            end = draw(st.sampled_from([None, *(hour for hour in HOURS if hour > start)]))
        found.append(
            Price(
                draw(st.sampled_from(TIERS)),
                draw(st.sampled_from((1, 2, 5, 10))),
                draw(st.sampled_from(("CNY", "CNY", "USD"))),
                draw(st.sampled_from(SITES)),
                start,
                end,
                draw(amount),
            )
        )
    return list({_known(price): price for price in found}.values())


questions = st.builds(
    Question,
    st.integers(1, 20),
    st.sampled_from((*TIERS, "stranger")),
    st.sampled_from(("CNY", "CNY", "USD")),
    st.sampled_from((*SITES, "nowhere")),
    st.sampled_from((0, 0, *HOURS)),
)

costs = st.none() | st.tuples(st.integers(0, 300), st.sampled_from(("CNY", "USD")))

UNITS = Statement(
    "test.units",
    "select "
    + units_sql(variant="v", currency="$2::text", tier="$3::text", quantity="$4::int", site="$5::text")
    + " from catalog_variant v where v.id = $1",
)


@pytest_asyncio.fixture(loop_scope="session")
async def variant(shop: Shop) -> UUID:
    """A variant without a price."""
    await shop.products()
    return await shop.key("A-1")


async def put(shop: Shop, variant: UUID, prices: list[Price], now: datetime) -> None:
    """Write prices without asking whether they may be."""
    db = shop.kernel.db
    await db.execute("delete from catalog_price")
    await db.execute("delete from catalog_special_price")
    for price in prices:
        start, end = (
            None if hour is None else now + timedelta(hours=hour) for hour in (price.start, price.end)
        )
        if price.site or start:
            await db.execute(
                """
                insert into catalog_special_price
                    (id, variant, tier, min_quantity, currency, site, starts_at, ends_at, units)
                values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8)
                """,
                variant, price.tier, price.quantity, price.currency, price.site, start, end, price.units,
            )  # fmt: skip
        else:
            await db.execute(
                """
                insert into catalog_price (id, variant, tier, min_quantity, currency, units)
                values (gen_random_uuid(), $1, $2, $3, $4, $5)
                """,
                variant, price.tier, price.quantity, price.currency, price.units,
            )  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    prices=price_lists(),
    asked=st.lists(questions, min_size=1, max_size=12),
    cost=costs,
    below_cost=st.booleans(),
)
async def test_quotes_lists_and_ladders_follow_the_rules(
    shop: Shop,
    variant: UUID,
    prices: list[Price],
    asked: list[Question],
    cost: tuple[int, str] | None,
    below_cost: bool,
) -> None:
    # Given any prices and any cost
    db, now = shop.kernel.db, datetime.now(UTC)
    await put(shop, variant, prices, now)
    await db.execute(
        "update catalog_variant set cost_units = $1, cost_currency = $2, below_cost = $3",
        *(cost or (None, None)),
        below_cost,
    )
    special = await db.fetchval("select specially_priced from catalog_variant")
    assert special == any(price.site or price.start is not None for price in prices)
    # When they are asked for in one call
    answers = await shop.prices.quote(
        [
            QuoteRequest(
                variant=variant,
                quantity=question.quantity,
                tier=question.tier,
                currency=question.currency,
                site=question.site,
                at=now + timedelta(hours=question.hour + 0.5) if question.hour else None,
            )
            for question in asked
        ]
    )
    for question, answer in zip(asked, answers, strict=True):
        wanted = expected(prices, question, cost, below_cost=below_cost)
        # Then each answer is what the rules say
        assert (answer.unit.units if isinstance(answer, Quote) else None) == wanted
        if not question.hour:
            # and so are the price in a list
            where = (question.currency, question.tier, question.quantity, question.site)
            assert await db.fetchval(UNITS, variant, *where) == wanted
            # and the ladder at each quantity
            rows = await db.fetch(LADDERS, [variant], question.currency, question.tier, question.site)
            steps = {step.from_quantity: step.units for step in _ladder(rows, question.tier)}
            reached = [quantity for quantity in steps if quantity <= question.quantity]
            assert (steps[max(reached)] if reached else None) == wanted
