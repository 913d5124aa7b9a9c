"""Keeping what lines cost, once something of them was delivered: set-based and idempotent, since events may come twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.ids import new_id
from kameng_catalog.contract import Stock
from kameng_fulfilment.costs.statements import (
    DROP_OTHER_COSTS,
    KEEP_COSTS,
    LINES_TO_COST,
    TAKE_COST_TURNS,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_fulfilment.events import OrderCompleted, OrderLineDelivered

BATCH = "batch"
VARIANT = "variant"


async def cost_completed(kernel: Kernel, events: Sequence[OrderCompleted]) -> None:
    """Keep what the lines of complete orders cost."""
    await keep_costs(kernel, [UUID(line.line) for event in events for line in event.lines])


async def cost_delivered(kernel: Kernel, events: Sequence[OrderLineDelivered]) -> None:
    """Keep what lines cost of which something was delivered."""
    await keep_costs(kernel, [UUID(event.line) for event in events])


async def keep_costs(kernel: Kernel, lines: Sequence[UUID]) -> None:
    """Keep what lines cost: their cards by the batches that they came from, other pieces by what their variant cost when it was
    sold. Five statements at most, whatever the number of lines.

    A card that was bad and its replacement both cost something. Pieces of which nothing is known have no cost. What was kept
    changes when more of the line is delivered, and not when a batch is told another cost later.
    """
    wanted = sorted(set(lines))
    if not wanted:
        return
    async with kernel.db.transaction():
        await kernel.db.execute(TAKE_COST_TURNS, wanted)
        rows = await costs_by_now(kernel, wanted)
        if rows:
            await kernel.db.execute(
                KEEP_COSTS, [new_id() for _ in rows], *(list(column) for column in zip(*rows, strict=True))
            )
        own, sources, currencies = ([row[place] for row in rows] for place in range(3))
        await kernel.db.execute(DROP_OTHER_COSTS, wanted, own, sources, currencies)


async def costs_by_now(kernel: Kernel, lines: Sequence[UUID]) -> list[tuple[UUID, str, str, int, int]]:
    """Line, source, currency, pieces and units of what lines cost: what would be kept now. Two statements."""
    rows: list[tuple[UUID, str, str, int, int]] = []
    cards: dict[UUID, int] = {}
    known: dict[UUID, int] = {}
    for cost in await kernel.services.get(Stock).costs_of(lines):
        cards[cost.line] = cards.get(cost.line, 0) + cost.pieces
        if cost.currency is not None:
            known[cost.line] = known.get(cost.line, 0) + cost.pieces
            rows.append((cost.line, BATCH, cost.currency, cost.pieces, cost.units))
    for row in await kernel.db.fetch(LINES_TO_COST, list(lines)):
        # More cards than pieces were delivered where some were replaced.
        line = row["id"]
        rest = max(row["delivered_quantity"], cards.get(line, 0)) - known.get(line, 0)
        if rest > 0 and row["unit_cost"] is not None:
            rows.append((line, VARIANT, row["currency"], rest, row["unit_cost"] * rest))
    return rows
