"""Words for what reports say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kameng.kernel import Kernel
from kameng.tasks import drain
from kameng_analytics.reports.checking import Difference, differences

SHANGHAI = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """The business day that it is."""
    return datetime.now(SHANGHAI).date()


async def settle(kernel: Kernel) -> None:
    """Have all events handled."""
    await drain(kernel)


async def figures(kernel: Kernel) -> list[tuple[Any, ...]]:
    """All figures, in order, without their numbers."""
    rows = await kernel.db.fetch(
        """select day, currency, dimension, value, orders, pieces, turnover, refunded_pieces, refunds, cost, fees, late
           from analytics_figure order by 1, 2, 3, 4"""
    )
    return [tuple(row) for row in rows]


async def total(kernel: Kernel, dimension: str = "all", value: str = "") -> dict[str, int]:
    """What is reported of a value in all days."""
    row = await kernel.db.fetchrow(
        """select coalesce(sum(orders), 0)::int as orders, coalesce(sum(pieces), 0)::int as pieces,
                  coalesce(sum(turnover), 0)::int as turnover, coalesce(sum(refunds), 0)::int as refunds,
                  coalesce(sum(cost), 0)::int as cost, coalesce(sum(fees), 0)::int as fees,
                  coalesce(sum(late), 0)::int as late
           from analytics_figure where dimension = $1 and value = $2""",
        dimension,
        value,
    )
    assert row is not None
    return dict(row)


async def unlike_ledger(kernel: Kernel) -> list[Difference]:
    """Where the last days and today differ from the ledger."""
    return await differences(kernel, today() - timedelta(days=40), today() + timedelta(days=1))


async def age(kernel: Kernel, days: int) -> None:
    """Let everything that the ledger and the orders hold have happened so many days earlier."""
    gap = timedelta(days=days)
    async with kernel.db.transaction():
        await kernel.db.execute(
            "alter table settlement_ledger_transaction disable trigger settlement_ledger_transaction_never_changed"
        )
        await kernel.db.execute(
            "update settlement_ledger_transaction set posted_at = posted_at - $1::interval", gap
        )
        await kernel.db.execute(
            "alter table settlement_ledger_transaction enable always trigger settlement_ledger_transaction_never_changed"
        )
        await kernel.db.execute(
            "update fulfilment_order set paid_at = paid_at - $1::interval, completed_at = completed_at - $1::interval",
            gap,
        )


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)
