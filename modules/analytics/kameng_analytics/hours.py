"""Sales by the hour: when buyers buy, and how today goes compared with yesterday."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import strawberry

from kameng import money
from kameng.errors import InvalidInput
from kameng.graphql import Info
from kameng_analytics.figures import SalesFigures
from kameng_analytics.reports.permissions import READ_FIGURES
from kameng_analytics.settings import AnalyticsSettings
from kameng_analytics.statements import BEFORE_QUARTER, HOURS

MAX_DAYS = 366
"""Days of one heat map."""

WHOLE_DAY = 96
"""Quarters of an hour in a day."""


@strawberry.type(description="What was sold in one hour of a weekday, summed over a span of days.")
class HourSales:
    """What was sold in one hour of a weekday, summed over a span of days."""

    weekday: int = strawberry.field(description="1 is Monday, 7 is Sunday.")
    hour: int = strawberry.field(description="0 to 23, on the clock of the business.")
    figures: SalesFigures


@strawberry.type(description="How today goes compared with yesterday at this time.")
class SalesSoFar:
    """How today goes compared with yesterday at this time."""

    day: date
    today: SalesFigures = strawberry.field(description="All of today until now.")
    yesterday: SalesFigures = strawberry.field(description="Yesterday until `yesterday_until`.")
    yesterday_until: datetime = strawberry.field(
        description="This time yesterday, taken back to the quarter of an hour."
    )


@strawberry.type
class HourQuery:
    """Queries of the staff by the hour."""

    @strawberry.field(
        description="Sales by weekday and hour, live, always all 168 of them; without days: of the last thirty. "
        "Needs analytics.read_figures."
    )
    async def sales_by_hour(
        self, info: Info, since: date | None = None, until: date | None = None, currency: str = "CNY"
    ) -> list[HourSales]:
        """Sales by weekday and hour between two business days, both included."""
        context = info.context
        context.require(READ_FIGURES)
        until = until or _now(info).date()
        since = since or until - timedelta(days=29)
        if not 0 <= (until - since).days < MAX_DAYS:
            raise InvalidInput(
                f"This spans 1 to {MAX_DAYS} days; it would be {since} to {until}.",
                cure="Let `since` be the earlier day, or ask for less at once.",
                path=("since",),
            )
        money.check_currency(currency)
        rows = await context.db.fetch(HOURS, since, until, currency)
        found = {(row["weekday"], row["hour"]): row for row in rows}
        return [
            HourSales(
                weekday=weekday, hour=hour, figures=SalesFigures.of(found.get((weekday, hour)), currency)
            )
            for weekday in range(1, 8)
            for hour in range(24)
        ]

    @strawberry.field(
        description="Today until now beside yesterday until the same time, live. Needs analytics.read_figures."
    )
    async def sales_so_far(self, info: Info, currency: str = "CNY") -> SalesSoFar:
        """Today beside yesterday until the same quarter of an hour."""
        context = info.context
        context.require(READ_FIGURES)
        money.check_currency(currency)
        now = _now(info)
        until = (now - timedelta(days=1)).replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        before = until.hour * 4 + until.minute // 15
        today = await context.db.fetchrow(BEFORE_QUARTER, now.date(), currency, WHOLE_DAY)
        yesterday = await context.db.fetchrow(BEFORE_QUARTER, until.date(), currency, before)
        return SalesSoFar(
            day=now.date(),
            today=SalesFigures.of(today, currency),
            yesterday=SalesFigures.of(yesterday, currency),
            yesterday_until=until,
        )


def _now(info: Info) -> datetime:
    """The time on the clock of the business."""
    settings = info.context.kernel.settings.section("analytics", AnalyticsSettings)
    return datetime.now(ZoneInfo(settings.time_zone))
