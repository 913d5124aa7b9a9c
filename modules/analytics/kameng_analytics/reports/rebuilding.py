"""Making figures anew from their facts, day by day, beside whoever books."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from kameng_analytics.reports.statements import (
    DROP_FIGURES,
    FIND_CLOSED,
    OPEN_DAYS,
    STOP_BOOKING,
    SUM_FIGURES,
    UNLIKE_FIGURES,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did.

    Attributes:
        days: how many days were made anew.
        changed: those whose figures were not the sums of their facts.
    """

    days: int
    changed: tuple[date, ...]


async def rebuild(kernel: Kernel, since: date | None = None, until: date | None = None) -> Rebuilt:
    """Make the figures of all open days from `since` to `until` anew. Idempotent.

    Each day is one transaction, in which nobody else books: whoever kills it in the middle leaves days that are whole, the old
    way or the new one. Closed days stay as they are.
    """
    days = [row["day"] for row in await kernel.db.fetch(OPEN_DAYS, since, until)]
    changed: list[date] = []
    for day in days:
        async with kernel.db.transaction():
            await kernel.db.execute(STOP_BOOKING)
            if await kernel.db.fetchrow(FIND_CLOSED, day) is not None:
                continue
            if await kernel.db.fetch(UNLIKE_FIGURES, [day]):
                changed.append(day)
                await kernel.db.execute(DROP_FIGURES, day)
                await kernel.db.execute(SUM_FIGURES, day)
    return Rebuilt(len(days), tuple(changed))
