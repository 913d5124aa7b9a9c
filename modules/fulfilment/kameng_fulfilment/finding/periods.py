"""Stretches of time that move with the day, such as yesterday, in the time zone in which the shop shows its days."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import Enum
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry


@strawberry.enum(description="A stretch of days that moves with today, in the shop's time zone.")
class OrderPeriod(Enum):
    """A stretch of days."""

    TODAY = "TODAY"
    YESTERDAY = "YESTERDAY"
    LAST_7_DAYS = strawberry.enum_value("LAST_7_DAYS", description="Today and the six days before.")
    LAST_30_DAYS = strawberry.enum_value("LAST_30_DAYS", description="Today and the 29 days before.")
    LAST_90_DAYS = strawberry.enum_value("LAST_90_DAYS", description="Today and the 89 days before.")


_DAYS = {
    OrderPeriod.TODAY: (0, 1),
    OrderPeriod.YESTERDAY: (-1, 0),
    OrderPeriod.LAST_7_DAYS: (-6, 1),
    OrderPeriod.LAST_30_DAYS: (-29, 1),
    OrderPeriod.LAST_90_DAYS: (-89, 1),
}

SLACK = timedelta(hours=1)
"""How far an order's key may lie from its time: keys are made by web processes before their orders are written."""


def bounds(period: OrderPeriod, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The first moment of a period and the first one after it.

    A day begins at midnight there, also where clocks change.
    """
    today = now.astimezone(zone).date()
    first, behind = _DAYS[period]
    return (
        datetime.combine(today + timedelta(days=first), time(), zone),
        datetime.combine(today + timedelta(days=behind), time(), zone),
    )


def key_from(moment: datetime) -> UUID:
    """The smallest key that was made at a moment: UUIDv7 begins with the milliseconds since 1970 (RFC 9562 §5.7)."""
    milliseconds = max(0, min(int(moment.timestamp() * 1000), 2**48 - 1))
    return UUID(int=milliseconds << 80)
