"""Finding in the ledger what no event told of: the floor under the events, so that reports agree with the books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kameng_analytics.reports.booking import book_movements, book_orders
from kameng_analytics.reports.statements import KNOWN_KEYS
from kameng_fulfilment.figures_contract import OrderFigures
from kameng_settlement.figures_contract import SALES, LedgerFigures, Movement

if TYPE_CHECKING:
    from kameng.kernel import Kernel

BATCH = 1000
"""Postings that are looked at together, in one transaction."""

SHORTLY = timedelta(minutes=10)
"""How far back the fast schedule looks."""

BACK = timedelta(hours=26)
"""How far back the slow one looks: over a night without a worker."""

SETTLED = timedelta(seconds=10)
"""How old a posting is before the schedule looks at it: events are faster, and go first."""


async def gather(kernel: Kernel, since: datetime, until: datetime) -> int:
    """Book what was posted from `since` until before `until` and is in no fact yet. Idempotent, beside events too;
    each batch is a transaction of its own.

    Returns:
        how many postings were missing.
    """
    ledger = kernel.services.get(LedgerFigures)
    missing, after = 0, 0
    while movements := await ledger.posted(since, until, after, BATCH):
        after = movements[-1].posting
        missing += await _take_in(kernel, movements)
    return missing


async def gather_recent(kernel: Kernel) -> None:
    """Look through the last minutes: for what no event is there for, such as reversals. Run every twenty seconds."""
    now = datetime.now(UTC)
    await gather(kernel, now - SHORTLY, now - SETTLED)


async def gather_day(kernel: Kernel) -> None:
    """Look through the last day. Run every hour."""
    now = datetime.now(UTC)
    await gather(kernel, now - BACK, now - SETTLED)


async def _take_in(kernel: Kernel, movements: list[Movement]) -> int:
    new = await _missing(kernel, movements)
    if not new:
        return 0
    keys = sorted({movement.key for movement in new if movement.account == SALES and not movement.reverses})
    await book_orders(kernel, await kernel.services.get(OrderFigures).charged_under(keys))
    # Reversals come after what they reverse, which has facts by now.
    await book_movements(kernel, await _missing(kernel, new))
    return len(new)


async def _missing(kernel: Kernel, movements: list[Movement]) -> list[Movement]:
    rows = await kernel.db.fetch(KNOWN_KEYS, sorted({movement.transaction for movement in movements}))
    known = {row["transaction"] for row in rows}
    return [movement for movement in movements if movement.transaction not in known]
