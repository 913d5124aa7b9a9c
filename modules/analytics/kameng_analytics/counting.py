"""From completed orders to figures: each event counts once, whole batches in three statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from kameng.ids import new_id
from kameng_analytics.settings import AnalyticsSettings
from kameng_analytics.statements import ADD_DAY_VARIANTS, ADD_DAYS, ADD_QUARTERS
from kameng_fulfilment.contract import OrderCompleted

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@dataclass(slots=True)
class Figures:
    """Sums of one key; amounts in minor units."""

    orders: int = 0
    units: int = 0
    turnover: int = 0
    cost: int = 0

    def add(self, units: int, turnover: int, cost: int) -> None:
        """Count one more order."""
        self.orders += 1
        self.units += units
        self.turnover += turnover
        self.cost += cost


DayKey = tuple[date, str]
QuarterKey = tuple[date, str, int]
VariantKey = tuple[date, str, UUID, UUID, str]


def fold(
    events: Sequence[OrderCompleted], zone: ZoneInfo
) -> tuple[dict[DayKey, Figures], dict[VariantKey, Figures]]:
    """The sums of a batch by day and by day and variant; a day begins at midnight of the business's zone."""
    days: dict[DayKey, Figures] = {}
    variants: dict[VariantKey, Figures] = {}
    for event in events:
        day = datetime.fromisoformat(event.completed_at).astimezone(zone).date()
        units = sum(line.quantity for line in event.lines)
        cost = sum(line.cost_minor for line in event.lines)
        days.setdefault((day, event.currency), Figures()).add(units, event.total_minor, cost)
        for line in event.lines:
            key = (day, event.currency, UUID(line.product), UUID(line.variant), line.sku)
            variants.setdefault(key, Figures()).add(line.quantity, line.total_minor, line.cost_minor)
    return days, variants


def fold_quarters(events: Sequence[OrderCompleted], zone: ZoneInfo) -> dict[QuarterKey, Figures]:
    """The sums of a batch by quarter of an hour on the clock of the business's zone."""
    quarters: dict[QuarterKey, Figures] = {}
    for event in events:
        at = datetime.fromisoformat(event.completed_at).astimezone(zone)
        key = (at.date(), event.currency, at.hour * 4 + at.minute // 15)
        quarters.setdefault(key, Figures()).add(
            sum(line.quantity for line in event.lines),
            event.total_minor,
            sum(line.cost_minor for line in event.lines),
        )
    return quarters


async def count_orders(kernel: Kernel, events: Sequence[OrderCompleted]) -> None:
    """Add a batch of completed orders to the figures."""
    zone = ZoneInfo(kernel.settings.section("analytics", AnalyticsSettings).time_zone)
    days, variants = fold(events, zone)
    by_day = sorted(days.items())
    await kernel.db.execute(
        ADD_DAYS,
        [new_id() for _ in by_day],
        [day for (day, _), _ in by_day],
        [currency for (_, currency), _ in by_day],
        *_columns([figures for _, figures in by_day]),
    )
    by_variant = sorted(variants.items(), key=lambda item: (item[0][0], item[0][1], item[0][3]))
    await kernel.db.execute(
        ADD_DAY_VARIANTS,
        [new_id() for _ in by_variant],
        [key[0] for key, _ in by_variant],
        [key[1] for key, _ in by_variant],
        [key[2] for key, _ in by_variant],
        [key[3] for key, _ in by_variant],
        [key[4] for key, _ in by_variant],
        *_columns([figures for _, figures in by_variant]),
    )
    by_quarter = sorted(fold_quarters(events, zone).items())
    await kernel.db.execute(
        ADD_QUARTERS,
        [new_id() for _ in by_quarter],
        [day for (day, _, _), _ in by_quarter],
        [quarter for (_, _, quarter), _ in by_quarter],
        [currency for (_, currency, _), _ in by_quarter],
        *_columns([figures for _, figures in by_quarter]),
    )


def _columns(figures: Sequence[Figures]) -> tuple[list[int], list[int], list[int], list[int]]:
    return (
        [item.orders for item in figures],
        [item.units for item in figures],
        [item.turnover for item in figures],
        [item.cost for item in figures],
    )
