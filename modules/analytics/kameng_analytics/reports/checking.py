"""Do reports say what the ledger says? What differs is told, and nothing is adjusted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from kameng.module import NotificationKind
from kameng.money import Money
from kameng.notify import Notifications
from kameng_analytics.reports.days import business_zones
from kameng_analytics.reports.permissions import READ_FIGURES
from kameng_analytics.reports.statements import BOOKED_IN, UNLIKE_FIGURES
from kameng_settlement.figures_contract import LedgerFigures

if TYPE_CHECKING:
    from kameng.kernel import Kernel

CHECKED_DAYS: Final = 35
"""Days that the schedule compares: those that are over, since postings come while it looks."""

REPORTS_DIFFER = NotificationKind(
    name="reports_differ",
    title_en="Reports differ from the ledger",
    title_zh="报表与账本不一致",
    templates="kameng_analytics.reports:notifications",
    staff=READ_FIGURES,
    optional=False,
)

log = structlog.get_logger(__name__)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a day that reports and ledger do not agree on.

    Attributes:
        day: the business day.
        figure: ``turnover``, ``refunds`` or ``fees``; ``sums`` where the day's figures are not the sums of its facts.
        currency: ISO 4217; empty for ``sums``.
        reported, posted: minor units: what the facts add up to, and what the ledger says. Of ``sums`` the number of figures that
            are wrong, and 0.
    """

    day: date
    figure: str
    currency: str
    reported: int
    posted: int

    def __str__(self) -> str:
        if self.figure == "sums":
            return f"{self.day}: {self.reported} figures are not the sums of their facts"
        reported, posted = (Money(minor, self.currency).amount for minor in (self.reported, self.posted))
        return f"{self.day} {self.figure}: reports say {reported} {self.currency}, the ledger says {posted}"


async def differences(kernel: Kernel, since: date, until: date) -> list[Difference]:
    """Compare the business days from `since` to `until`, both included, with the ledger.

    A day lasts from its beginning on the first site until its end on the last one; its facts are those that happened in it,
    whichever day they were booked on. Three statements.
    """
    zones = business_zones(kernel)
    days = [since + timedelta(days=offset) for offset in range((until - since).days + 1)]
    async with kernel.db.transaction():
        # The ledger last: what is posted meanwhile looks like a difference now, and like none the next time.
        spans = [zones.span(day) for day in days]
        booked = {
            (days[row["place"] - 1], row["currency"]): (row["sales"], row["given_back"], row["fees"])
            for row in await kernel.db.fetch(
                BOOKED_IN, [begin for begin, _ in spans], [end for _, end in spans]
            )
        }
        unlike = await kernel.db.fetch(UNLIKE_FIGURES, days)
        totals = await kernel.services.get(LedgerFigures).totals(spans)
    posted = {
        (days[total.place], total.currency): (total.sales, total.given_back, total.fees) for total in totals
    }
    nothing = (0, 0, 0)
    found = [
        Difference(day=day, figure=figure, currency=currency, reported=ours, posted=theirs)
        for day, currency in sorted(booked.keys() | posted.keys())
        for figure, ours, theirs in zip(
            ("turnover", "refunds", "fees"),
            booked.get((day, currency), nothing),
            posted.get((day, currency), nothing),
            strict=True,
        )
        if ours != theirs
    ]
    found += [
        Difference(day=row["day"], figure="sums", currency="", reported=row["count"], posted=0)
        for row in unlike
    ]
    return found


async def check_reports(kernel: Kernel) -> None:
    """Compare the last weeks with the ledger and tell the staff what differs, each difference once. Run every hour."""
    last = business_zones(kernel).last_over(datetime.now(UTC))
    found = await differences(kernel, last - timedelta(days=CHECKED_DAYS - 1), last)
    if not found:
        return
    log.error("reports differ from the ledger", found=len(found), first=str(found[0]))
    notifications = kernel.services.find(Notifications)
    if notifications is None:
        return
    first = found[0]
    async with kernel.db.transaction():
        await notifications.tell_staff(
            "analytics.reports_differ",
            f"{first.day}:{first.figure}:{first.currency}:{first.reported}:{first.posted}:{len(found)}",
            {"found": len(found), "first": str(first), "url": f"{kernel.settings.public_url}/admin"},
        )
