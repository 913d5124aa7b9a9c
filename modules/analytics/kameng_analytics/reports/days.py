"""Business days: which one a moment belongs to, and when one begins and ends. Some have 23 hours, some 25."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kameng.errors import BootError
from kameng_analytics.settings import AnalyticsSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class BusinessZones(msgspec.Struct, frozen=True):
    """In which time zones days begin.

    Attributes:
        main: of the shop.
        sites: of sites that have another one, by their codes.
    """

    main: ZoneInfo
    sites: Mapping[str, ZoneInfo] = {}

    def of(self, site: str) -> ZoneInfo:
        """The zone of a site."""
        return self.sites.get(site, self.main)

    def span(self, day: date) -> tuple[datetime, datetime]:
        """When a day begins on the first site, and when it is over on the last one; both in UTC."""
        spans = [span_of(day, zone) for zone in (self.main, *self.sites.values())]
        return min(begin for begin, _ in spans), max(end for _, end in spans)

    def last_over(self, moment: datetime) -> date:
        """The last day that is over on all sites."""
        zones = (self.main, *self.sites.values())
        return min(day_of(moment, zone) for zone in zones) - timedelta(days=1)


def business_zones(kernel: Kernel) -> BusinessZones:
    """The time zones of the shop and of its sites.

    Raises:
        BootError: the settings name one that does not exist.
    """
    settings = kernel.settings.section("analytics", AnalyticsSettings)
    return BusinessZones(
        _zone("time_zone", settings.time_zone),
        {
            site: _zone(f"site_time_zones.{site}", name)
            for site, name in settings.site_time_zones.items()
            if name != settings.time_zone
        },
    )


def _zone(setting: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BootError(
            f"[analytics] {setting} = {name!r} is no time zone.",
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
