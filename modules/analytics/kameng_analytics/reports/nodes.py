"""What of reports ``node(id:)`` finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from uuid import UUID

from kameng.graphql import Context
from kameng.ids import day_of_key
from kameng_analytics.reports.closing import ClosedDay
from kameng_analytics.reports.permissions import READ_FIGURES
from kameng_analytics.reports.reading import facts_by_id
from kameng_analytics.reports.statements import CLOSED_OF
from kameng_analytics.reports.types import ClosedReportDay, ReportFact


async def fact_nodes(context: Context, keys: Sequence[UUID]) -> list[ReportFact | None]:
    """Facts; None for all where the principal may not see figures."""
    if not context.principal.may(READ_FIGURES):
        return [None] * len(keys)
    return [ReportFact.of(fact) if fact else None for fact in await facts_by_id(context.db, keys)]


async def closed_day_nodes(context: Context, keys: Sequence[UUID]) -> list[ClosedReportDay | None]:
    """Closed days; None for all where the principal may not see figures."""
    if not context.principal.may(READ_FIGURES):
        return [None] * len(keys)
    days = [day_of_key(key) for key in keys]
    rows = await context.db.fetch(CLOSED_OF, [day for day in days if day])
    closed = {row["day"]: ClosedDay(**dict(row)) for row in rows}
    return [ClosedReportDay.of(closed[day]) if day in closed else None for day in days]


NodeLoader: TypeAlias = Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]

ADMIN_NODES: dict[str, NodeLoader] = {"ReportFact": fact_nodes, "ClosedReportDay": closed_day_nodes}
