"""What a buyer pays, and why."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kameng.db import counted_statements
from kameng.errors import Refusal
from kameng.ids import new_id
from kameng.money import Money, UnitPrice
from kameng_catalog.contract import NotForSale, PriceStep, Quote, QuoteRequest, WrongQuantity

from .conftest import Shop

INSERT = """
insert into catalog_price (id, variant, tier, min_quantity, currency, units) values (gen_random_uuid(), $1, $2, $3, $4, $5)
"""

Ladder = dict[tuple[str, int, str], int]
"""Units by tier, quantity and currency."""


@dataclass
class Priced:
    shop: Shop
    variant: UUID

    async def put(self, ladder: Ladder) -> None:
        await self.shop.kernel.db.execute("delete from catalog_price")
        await self.shop.kernel.db.executemany(
            INSERT, [(self.variant, *key, units) for key, units in ladder.items()]
        )

    async def quote(self, quantity: int = 1, tier: str = "retail", currency: str = "CNY") -> Quote | Refusal:
        request = QuoteRequest(variant=self.variant, quantity=quantity, tier=tier, currency=currency)
        [answer] = await self.shop.prices.quote([request])
        return answer


@pytest_asyncio.fixture(loop_scope="session")
async def priced(shop: Shop) -> Priced:
    """A variant without a price, of which one may buy 2 to 50, and which may be sold below its cost."""
    await shop.products({"min_quantity": "2", "max_quantity": "50"})
    await shop.kernel.db.execute("delete from catalog_price")
    await shop.kernel.db.execute("update catalog_variant set below_cost = true")
    return Priced(shop, await shop.key("A-1"))


async def test_a_quote_tells_price_total_cost_and_reason(priced: Priced) -> None:
    await priced.put({("retail", 1, "CNY"): 985_000, ("retail", 10, "CNY"): 980_050})

    assert await priced.quote(2) == Quote(
        unit=UnitPrice(985_000, "CNY"),
        total=Money(19_700, "CNY"),
        cost=UnitPrice(95_000, "CNY"),
        trace=(PriceStep(code="LIST", params={"tier": "retail", "amount": "98.50", "currency": "CNY"}),),
    )
    assert await priced.quote(10) == Quote(
        unit=UnitPrice(980_050, "CNY"),
        total=Money(98_005, "CNY"),
        cost=UnitPrice(95_000, "CNY"),
        trace=(
            PriceStep(code="LIST", params={"tier": "retail", "amount": "98.005", "currency": "CNY"}),
            PriceStep(code="QUANTITY", params={"from_quantity": "10"}),
        ),
    )


async def test_fractions_of_a_cent_are_rounded_once_half_to_even(priced: Priced) -> None:
    await priced.put({("retail", 1, "CNY"): 125})  # 0.0125 a piece
    totals = [(await priced.quote(quantity)).total.minor for quantity in (2, 6, 10)]  # type: ignore[union-attr]  # quotes
    assert totals == [2, 8, 12]  # 2.5 → 2, 7.5 → 8, 12.5 → 12


async def test_the_own_tier_goes_first_even_where_retail_is_cheaper(priced: Priced) -> None:
    await priced.put({("retail", 1, "CNY"): 100, ("retail", 20, "CNY"): 50, ("gold", 1, "CNY"): 80})
    quote = await priced.quote(20, "gold")
    assert isinstance(quote, Quote)
    assert [step.texts["en"] for step in quote.trace] == ["Price of gold: 0.008 CNY"]
    # and retail where the own tier has nothing for so few
    await priced.put({("retail", 1, "CNY"): 100, ("gold", 10, "CNY"): 80})
    few, many = await priced.quote(9, "gold"), await priced.quote(10, "gold")
    assert isinstance(few, Quote)
    assert isinstance(many, Quote)
    assert (few.unit.units, many.unit.units) == (100, 80)


async def test_no_quote_is_below_the_cost_unless_that_is_allowed(priced: Priced) -> None:
    # Given prices below the cost of 9.5 CNY, in two currencies
    await priced.put({("retail", 1, "CNY"): 80_000, ("retail", 1, "USD"): 10_000})
    quote = await priced.quote(2)
    assert isinstance(quote, Quote)
    assert quote.unit.units == 80_000
    # When the variant must not be sold below its cost, then the price is raised to it, and the trace tells so
    await priced.shop.kernel.db.execute("update catalog_variant set below_cost = false")
    quote = await priced.quote(2)
    assert isinstance(quote, Quote)
    assert (quote.unit.units, quote.total.minor) == (95_000, 1_900)
    assert [(step.code, step.params["amount"]) for step in quote.trace] == [
        ("LIST", "8.00"),
        ("FLOOR", "9.50"),
    ]
    assert quote.trace[1].texts == {
        "zh-CN": "不低于成本，提高到 9.50 CNY",
        "en": "Raised to the cost, 9.50 CNY",
    }
    # and a price in another currency cannot be compared
    quote = await priced.quote(2, currency="USD")
    assert isinstance(quote, Quote)
    assert quote.unit.units == 10_000


@pytest.mark.parametrize("quantity", [1, 51, 0, -5, 2**40])
async def test_a_wrong_quantity_is_told_with_the_bounds(priced: Priced, quantity: int) -> None:
    await priced.put({("retail", 1, "CNY"): 100})
    answer = await priced.quote(quantity)
    assert isinstance(answer, WrongQuantity)
    assert answer.message == f"One order takes 2 to 50 of this; {quantity} were asked for."


async def test_what_is_not_for_sale(priced: Priced) -> None:
    # Without a price in this currency
    await priced.put({("retail", 1, "CNY"): 100, ("gold", 1, "USD"): 100})
    answer = await priced.quote(2, currency="USD")
    assert isinstance(answer, NotForSale)
    assert answer.message == "This has no price in USD."
    assert isinstance(await priced.quote(2, "gold", "USD"), Quote)
    # with a status that is not published, its own or its product's
    for table in ("variant", "product"):
        await priced.shop.kernel.db.execute(f"update catalog_{table} set status = 'archived'")
        assert isinstance(await priced.quote(2), NotForSale)
        await priced.shop.kernel.db.execute(f"update catalog_{table} set status = 'published'")
    # or not at all
    [answer] = await priced.shop.prices.quote([QuoteRequest(variant=new_id())])
    assert isinstance(answer, NotForSale)


async def test_a_thousand_quotes_are_one_statement(priced: Priced) -> None:
    await priced.put({("retail", 1, "CNY"): 100})
    requests = [QuoteRequest(variant=priced.variant, quantity=1 + n % 60) for n in range(1000)]
    with counted_statements() as statements:
        answers = await priced.shop.prices.quote(requests)
    assert len(statements) == 1
    for request, answer in zip(requests, answers, strict=True):
        assert isinstance(answer, Quote) is (2 <= request.quantity <= 50)
        if isinstance(answer, Quote):
            assert answer.total == Money(round(request.quantity), "CNY")


TIERS = ("retail", "gold", "agent-1")
CURRENCIES = ("CNY", "USD")

ladders = st.dictionaries(
    st.tuples(st.sampled_from(TIERS), st.integers(1, 60), st.sampled_from(CURRENCIES)),
    st.integers(0, 10**9),
    max_size=12,
)
asked = st.tuples(st.integers(-2, 60), st.sampled_from((*TIERS, "stranger")), st.sampled_from(CURRENCIES))


def expected(ladder: Ladder, quantity: int, tier: str, currency: str) -> int | str:
    """The rule in plain words: the own tier's largest step that the quantity reaches, else retail's."""
    if not 2 <= quantity <= 50:
        return "WRONG_QUANTITY"
    for choice in (tier, "retail"):
        steps = [n for (name, n, code) in ladder if name == choice and code == currency and n <= quantity]
        if steps:
            return ladder[choice, max(steps), currency]
    return "NOT_FOR_SALE"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ladder=ladders, questions=st.lists(asked, min_size=1, max_size=20))
async def test_quotes_follow_the_rule(
    priced: Priced, ladder: Ladder, questions: list[tuple[int, str, str]]
) -> None:
    await priced.put(ladder)
    answers = await priced.shop.prices.quote(
        [
            QuoteRequest(variant=priced.variant, quantity=n, tier=tier, currency=code)
            for n, tier, code in questions
        ]
    )
    for (quantity, tier, currency), answer in zip(questions, answers, strict=True):
        wanted = expected(ladder, quantity, tier, currency)
        if isinstance(answer, Quote):
            assert answer.unit.units == wanted
            assert answer.total == UnitPrice(answer.unit.units, currency).times(quantity)
        else:
            assert answer.code == wanted
