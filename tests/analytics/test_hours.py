"""Sales by the hour: the heat map, and today beside yesterday at the same time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng_analytics import hours
from kameng_analytics.counting import fold_quarters
from tests.analytics.test_sales import count, line, order

READER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"analytics.read_figures"}))
HOURS = """query($since: Date, $until: Date, $currency: String! = "CNY") {
  salesByHour(since: $since, until: $until, currency: $currency) {
    weekday hour figures { orders units turnover { amount } }
  } }"""
SO_FAR = """{ salesSoFar {
  day yesterdayUntil
  today { orders turnover { amount } } yesterday { orders turnover { amount } }
} }"""


async def ask(kernel: Kernel, source: str, principal: Principal = READER, **variables: Any) -> Any:
    return await kernel.graphql["admin"].execute(
        source, variables, Context(kernel, principal=principal, schema="admin")
    )


async def test_orders_count_by_weekday_and_hour_of_the_business(kernel: Kernel) -> None:
    # given two Mondays and a Tuesday; the last is late on Monday in UTC, but Tuesday in Shanghai
    await count(
        kernel,
        order("2026-03-02T01:05:00+00:00", line(quantity=2, total=500)),
        order("2026-03-09T01:59:59+00:00", line(total=250)),
        order("2026-03-09T16:00:00+00:00", line(total=100)),
        order("2026-03-09T16:00:00+00:00", line(total=700), currency="USD"),
    )

    cells = (await ask(kernel, HOURS, since="2026-03-01", until="2026-03-31")).data["salesByHour"]

    assert len(cells) == 168
    assert [(cell["weekday"], cell["hour"]) for cell in cells[:2]] == [(1, 0), (1, 1)]
    assert [cell for cell in cells if cell["figures"]["orders"]] == [
        {"weekday": 1, "hour": 9, "figures": {"orders": 2, "units": 3, "turnover": {"amount": "7.50"}}},
        {"weekday": 2, "hour": 0, "figures": {"orders": 1, "units": 1, "turnover": {"amount": "1.00"}}},
    ]


async def test_today_is_compared_with_yesterday_at_the_same_time(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 3, 10, 14, 22, tzinfo=ZoneInfo("Asia/Shanghai"))
    yesterday = now - timedelta(days=1)
    # given yesterday's orders before, in and after the quarter of an hour that runs now, and one of today
    await count(
        kernel,
        order(yesterday.replace(hour=9).isoformat(), line(total=100)),
        order(yesterday.replace(minute=14).isoformat(), line(total=200)),
        order(yesterday.replace(minute=16).isoformat(), line(total=400)),
        order(yesterday.replace(hour=20).isoformat(), line(total=800)),
        order(now.replace(minute=21).isoformat(), line(total=1000)),
    )

    monkeypatch.setattr(hours, "_now", lambda _info: now)
    told = (await ask(kernel, SO_FAR)).data["salesSoFar"]

    assert told == {
        "day": "2026-03-10",
        "yesterdayUntil": "2026-03-09T06:15:00+00:00",
        "today": {"orders": 1, "turnover": {"amount": "10.00"}},
        "yesterday": {"orders": 2, "turnover": {"amount": "3.00"}},
    }


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"since": "2026-03-02", "until": "2026-03-01"}, "INVALID_INPUT"),
        ({"since": "2024-01-01", "until": "2026-03-01"}, "INVALID_INPUT"),
        ({"currency": "RMB"}, "INVALID_INPUT"),
    ],
)
async def test_unusable_questions_are_told(kernel: Kernel, variables: dict[str, str], code: str) -> None:
    assert (await ask(kernel, HOURS, **variables)).errors[0]["extensions"]["code"] == code


async def test_figures_need_the_permission(kernel: Kernel) -> None:
    nobody = Principal(kind=PrincipalKind.STAFF, id=new_id())
    for source in (HOURS, SO_FAR):
        assert (await ask(kernel, source, nobody)).errors[0]["extensions"]["code"] == "FORBIDDEN"


def test_a_batch_is_folded_by_the_quarter() -> None:
    events = [
        order("2026-03-01T16:14:59+00:00", line(total=1)),
        order("2026-03-01T16:15:00+00:00", line(total=2)),
        order("2026-03-01T16:29:00+00:00", line(total=4)),
    ]
    folded = fold_quarters(events, ZoneInfo("Asia/Shanghai"))
    assert {key[2]: figures.turnover for key, figures in folded.items()} == {0: 1, 1: 6}
