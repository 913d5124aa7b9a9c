"""Analytics' part of the admin schema: live figures."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import strawberry

from kameng import money
from kameng.errors import InvalidInput
from kameng.graphql import Info
from kameng.ids import global_id
from kameng_analytics.figures import SalesFigures
from kameng_analytics.hours import HourQuery
from kameng_analytics.reports.graphql import ReportQuery
from kameng_analytics.reports.permissions import READ_FIGURES
from kameng_analytics.settings import AnalyticsSettings
from kameng_analytics.statements import DAYS, PRODUCTS

MAX_DAYS = 3 * 366
"""Days of one report."""


@strawberry.type(description="What was sold on one business day.")
class DaySales:
    """What was sold on one business day."""

    day: date
    figures: SalesFigures


@strawberry.type(description="What was sold of one variant.")
class VariantSales:
    """What was sold of one variant."""

    product_id: strawberry.ID
    variant_id: strawberry.ID
    sku: str
    figures: SalesFigures


@strawberry.type(description="Sales of a span of business days.")
class SalesReport:
    """Sales of a span of business days."""

    since: date
    until: date
    total: SalesFigures
    by_day: list[DaySales] = strawberry.field(description="Each day of the span, also those without a sale.")
    by_variant: list[VariantSales] = strawberry.field(description="The best sold first.")


@strawberry.type
class AnalyticsQuery(ReportQuery, HourQuery):
    """Queries of the staff."""

    @strawberry.field(
        description="Turnover, orders and units by day and by product, live: an order counts within a second or two. "
        "Needs analytics.read_figures."
    )
    async def sales(
        self,
        info: Info,
        since: date | None = None,
        until: date | None = None,
        currency: str = "CNY",
        top: int = 20,
    ) -> SalesReport:
        """Sales between two business days, both included; without them: the last thirty."""
        context = info.context
        context.require(READ_FIGURES)
        zone = ZoneInfo(context.kernel.settings.section("analytics", AnalyticsSettings).time_zone)
        until = until or datetime.now(zone).date()
        since = since or until - timedelta(days=29)
        if not 0 <= (until - since).days < MAX_DAYS:
            raise InvalidInput(
                f"A report spans 1 to {MAX_DAYS} days; this would be {since} to {until}.",
                cure="Let `since` be the earlier day, or ask for less at once.",
                path=("since",),
            )
        if not 0 <= top <= 100:
            raise InvalidInput("At most 100 variants at once.", cure="Ask for fewer.", path=("top",))
        money.check_currency(currency)
        days = {row["day"]: row for row in await context.db.fetch(DAYS, since, until, currency)}
        variants = await context.db.fetch(PRODUCTS, since, until, currency, top)
        span = [since + timedelta(days=offset) for offset in range((until - since).days + 1)]
        total = {
            name: sum(row[name] for row in days.values()) for name in ("orders", "units", "turnover", "cost")
        }
        return SalesReport(
            since=since,
            until=until,
            total=SalesFigures.of(total, currency),
            by_day=[DaySales(day=day, figures=SalesFigures.of(days.get(day), currency)) for day in span],
            by_variant=[
                VariantSales(
                    product_id=strawberry.ID(global_id("Product", row["product"])),
                    variant_id=strawberry.ID(global_id("Variant", row["variant"])),
                    sku=row["sku"],
                    figures=SalesFigures.of(row, currency),
                )
                for row in variants
            ],
        )
