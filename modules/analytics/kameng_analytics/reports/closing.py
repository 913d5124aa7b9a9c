"""Closing a business day: nothing is booked on it any more. What comes too late is booked on the day it comes, and marked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from kameng.auth import Principal
from kameng.errors import Conflict
from kameng_analytics.reports.checking import differences
from kameng_analytics.reports.days import business_zones
from kameng_analytics.reports.gathering import gather
from kameng_analytics.reports.statements import CLOSE_DAY, FIND_CLOSED, STOP_BOOKING

if TYPE_CHECKING:
    from kameng.kernel import Kernel

AFTERWARDS = timedelta(minutes=5)
"""How long after its end a day can be closed: until then the last transactions of the day may still be on their way."""


class DayNotOver(Conflict):
    """The business day is not over, or has ended a moment ago."""

    code = "DAY_NOT_OVER"


class DayDiffers(Conflict):
    """The day's figures are not what the ledger says, so it cannot be closed."""

    code = "DAY_DIFFERS"


class ClosedDay(msgspec.Struct, frozen=True):
    """A day that is closed.

    Attributes:
        day: which.
        time_zone: of the shop; on its sites it began and ended by theirs.
        closed_at, closed_by: when, and by whom: a principal's key, or ``system``.
    """

    day: date
    time_zone: str
    closed_at: datetime
    closed_by: str


async def close_day(
    kernel: Kernel, day: date, principal: Principal, *, correlation_id: str = "", address: str = ""
) -> ClosedDay:
    """Close a business day, on all sites: book what is missing, compare it with the ledger, and let nobody change it any more.

    Closing it again is harmless and answers the first time.

    Raises:
        DayNotOver: it is not over yet.
        DayDiffers: its figures are not those of the ledger.
    """
    zones = business_zones(kernel)
    since, until = zones.span(day)
    if datetime.now(UTC) < until + AFTERWARDS:
        raise DayNotOver(
            f"{day} ends at {until:%Y-%m-%d %H:%M} UTC and can be closed five minutes after that.",
            cure="Close it later.",
            path=("input", "day"),
        )
    await gather(kernel, since, until)
    async with kernel.db.transaction():
        # Whoever is booking ends before this goes on, and whoever comes after it sees the day closed.
        await kernel.db.execute(STOP_BOOKING)
        row = await kernel.db.fetchrow(FIND_CLOSED, day)
        if row is not None:
            return ClosedDay(**dict(row))
        if found := await differences(kernel, day, day):
            raise DayDiffers(
                f"{len(found)} figures differ, the first one: {found[0]}.",
                cure="Run `kameng reports rebuild` and `kameng reports check`, and find out what was posted otherwise.",
                path=("input", "day"),
            )
        await kernel.db.execute(CLOSE_DAY, day, zones.main.key, principal.key)
        await kernel.audit.record(
            "analytics.day_closed",
            principal=principal,
            subject=f"day:{day}",
            details={
                "time_zone": zones.main.key,
                "site_time_zones": {site: zone.key for site, zone in zones.sites.items()},
            },
            correlation_id=correlation_id,
            address=address,
        )
        row = await kernel.db.fetchrow(FIND_CLOSED, day)
        assert row is not None  # noqa: S101 - it was written just now
        return ClosedDay(**dict(row))
