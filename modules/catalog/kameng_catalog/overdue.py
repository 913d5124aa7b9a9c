"""Finding reservations that nobody ended: whoever made them forgot, or his work hangs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from kameng.db import Statement

if TYPE_CHECKING:
    from kameng.kernel import Kernel

PATIENCE = timedelta(hours=6)
"""How long after its time a reservation is still nobody's fault: a payment may be under way."""

OVERDUE = Statement(
    "catalog.overdue_reservations",
    "select count(*) as lines, min(until) as oldest from catalog_reservation where until < now() - $1::interval",
)

log = structlog.get_logger(__name__)


async def check_reservations(kernel: Kernel) -> None:
    """Log what is reserved for longer than it was meant to be: ``catalog.reservations_overdue``. Run every night.

    Nothing is released: only who knows the order knows whether its payment is still to come.
    """
    row = await kernel.db.fetchrow(OVERDUE, PATIENCE)
    if row is not None and row["lines"]:
        log.warning("catalog.reservations_overdue", lines=row["lines"], oldest=row["oldest"].isoformat())
