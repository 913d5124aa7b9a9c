"""Figures: each completed order counts once, on its business day, and live."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng_analytics.counting import count_orders, fold
from kameng_fulfilment.contract import OrderCompleted, SoldLine

SHANGHAI = ZoneInfo("Asia/Shanghai")
READER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"analytics.read_figures"}))
SALES = """
query($since: Date, $until: Date, $currency: String! = "CNY") {
  sales(since: $since, until: $until, currency: $currency) {
    total { orders units turnover { amount currency } cost { amount } }
    byDay { day figures { orders } }
    byVariant { productId variantId sku figures { orders units turnover { amount } } }
  }
}
"""


def order(at, *lines, currency="CNY"):
    return OrderCompleted(
        order=str(new_id()),
        number="N",
        member=str(new_id()),
        total_minor=sum(line.total_minor for line in lines),
        currency=currency,
        completed_at=at,
        lines=lines,
    )


def line(sku="A", quantity=1, total=100, cost=80, variant=None, product=None):
    return SoldLine(
        line=str(new_id()),
        variant=str(variant or new_id()),
        product=str(product or new_id()),
        sku=sku,
        quantity=quantity,
        total_minor=total,
        cost_minor=cost,
    )


async def ask(kernel, principal=READER, **variables):
    return await kernel.graphql["admin"].execute(
        SALES, variables, Context(kernel, principal=principal, schema="admin")
    )


async def count(kernel, *events):
    async with kernel.db.transaction():
        await count_orders(kernel, events)


async def test_orders_count_by_day_and_variant(kernel):
    variant, product = new_id(), new_id()
    await count(
        kernel,
        order("2026-03-01T10:00:00+00:00", line("A", 2, 500, 300, variant, product), line("B", 1, 100, 90)),
        order("2026-03-01T11:00:00+00:00", line("A", 1, 250, 150, variant, product)),
    )
    await count(kernel, order("2026-03-02T11:00:00+00:00", line("A", 1, 250, 150, variant, product)))
    report = (await ask(kernel, since="2026-03-01", until="2026-03-03")).data["sales"]
    assert report["total"] == {
        "orders": 3,
        "units": 5,
        "turnover": {"amount": "11.00", "currency": "CNY"},
        "cost": {"amount": "6.90"},
    }
    assert [(day["day"], day["figures"]["orders"]) for day in report["byDay"]] == [
        ("2026-03-01", 2),
        ("2026-03-02", 1),
        ("2026-03-03", 0),
    ]
    best = report["byVariant"][0]
    assert best == {
        "productId": global_id("Product", product),
        "variantId": global_id("Variant", variant),
        "sku": "A",
        "figures": {"orders": 3, "units": 4, "turnover": {"amount": "10.00"}},
    }


async def test_a_day_begins_at_midnight_of_the_business(kernel):
    # given an order a minute before midnight in Shanghai, and one a minute after
    await count(
        kernel, order("2026-03-01T15:59:00+00:00", line()), order("2026-03-01T16:01:00+00:00", line())
    )
    days = (await ask(kernel, since="2026-03-01", until="2026-03-02")).data["sales"]["byDay"]
    assert [day["figures"]["orders"] for day in days] == [1, 1]


async def test_currencies_do_not_mix(kernel):
    await count(kernel, order("2026-03-01T10:00:00+00:00", line(total=700), currency="USD"))
    assert (await ask(kernel, since="2026-03-01", until="2026-03-01")).data["sales"]["total"]["orders"] == 0
    dollars = await ask(kernel, since="2026-03-01", until="2026-03-01", currency="USD")
    assert dollars.data["sales"]["total"]["turnover"] == {"amount": "7.00", "currency": "USD"}


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"since": "2026-03-02", "until": "2026-03-01"}, "INVALID_INPUT"),
        ({"since": "2000-01-01", "until": "2026-03-01"}, "INVALID_INPUT"),
        ({"currency": "RMB"}, "INVALID_INPUT"),
    ],
)
async def test_unusable_questions_are_told(kernel, variables, code):
    assert (await ask(kernel, **variables)).errors[0]["extensions"]["code"] == code


async def test_figures_need_the_permission(kernel):
    nobody = Principal(kind=PrincipalKind.STAFF, id=new_id())
    assert (await ask(kernel, nobody)).errors[0]["extensions"]["code"] == "FORBIDDEN"
    assert (await ask(kernel, Principal())).errors[0]["extensions"]["code"] == "UNAUTHENTICATED"


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
lines = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(1, 9), st.integers(0, 10**6)), min_size=1, max_size=4
)


@given(st.lists(st.tuples(moments, lines), max_size=20))
def test_the_sums_by_day_and_by_variant_are_those_of_the_orders(orders):
    keys = {sku: (new_id(), new_id()) for sku in "ABC"}
    events = [
        order(at.isoformat(), *(line(s, q, t, 0, *keys[s]) for s, q, t in given_lines))
        for at, given_lines in orders
    ]
    days, variants = fold(events, SHANGHAI)
    assert sum(figures.orders for figures in days.values()) == len(events)
    assert sum(figures.turnover for figures in days.values()) == sum(event.total_minor for event in events)
    assert sum(figures.units for figures in variants.values()) == sum(
        sold.quantity for event in events for sold in event.lines
    )
    assert sum(f.turnover for f in variants.values()) == sum(f.turnover for f in days.values())
    assert all(isinstance(day, date) for day, _ in days)
