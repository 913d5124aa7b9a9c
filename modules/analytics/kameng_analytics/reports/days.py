"""Business days: which one a moment belongs to, and when one begins and ends. Some have 23 hours, some 25."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kameng.errors import BootError
from kameng_analytics.settings import AnalyticsSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel


def business_zone(kernel: Kernel) -> ZoneInfo:
    """The time zone in which a day begins.

    Raises:
        BootError: the settings name none that exists.
    """
    name = kernel.settings.section("analytics", AnalyticsSettings).time_zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BootError(
            f"[analytics] time_zone = {name!r} is no time zone.",
            cure='Write its IANA name, such as "Asia/Shanghai".',
        ) from error


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The business day of a moment with a zone."""
    return moment.astimezone(zone).date()


def span_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a business day begins, and when the next one does; both in UTC.

    Where the clock is put forward over midnight, the day begins with the first moment that there is; where it is put back over
    midnight, with the earlier one of the two.
    """
    begin, end = (
        datetime.combine(each, time.min, zone).astimezone(UTC) for each in (day, day + timedelta(days=1))
    )
    return begin, end
