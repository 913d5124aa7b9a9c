"""Batches of cards in quarantine, readmitted, or recalled for good.

The state of the batch changes at once; its cards follow in chunks. A process that dies in between leaves the batch
unsettled, and the task `settle_batches` moves the rest.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from kameng.db import Database, Statement
from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.money import UnitPrice
from kameng_catalog import batch_statements as statements
from kameng_catalog.events import BatchQuarantined, BatchReadmitted, BatchRecalled

if TYPE_CHECKING:
    from kameng.events import Event
    from kameng.graphql import Context
    from kameng.kernel import Kernel

CHUNK = 5_000
"""Cards of one transaction."""

_PAUSE = 0.02
"""Seconds before cards that somebody is just buying are tried again."""

_TRIES = 500
"""How often that is done before the task has to go on."""

BatchState = Literal["sellable", "quarantined", "recalled"]

_FROM: dict[BatchState, tuple[statements.Place, ...]] = {
    "sellable": ("quarantined",),
    # What is free first: afterwards nothing can be reserved any more that was not reserved then.
    "quarantined": ("free", "reserved"),
    "recalled": ("free", "reserved", "quarantined"),
}
_TO: dict[BatchState, statements.Place | None] = {
    "sellable": "free",
    "quarantined": "quarantined",
    "recalled": None,
}
_ACTIONS: dict[BatchState, str] = {
    "sellable": "catalog.batch_readmitted",
    "quarantined": "catalog.batch_quarantined",
    "recalled": "catalog.batch_recalled",
}


async def set_batch_state(context: Context, batch: UUID, state: BatchState, reason: str) -> int:
    """Put the unsold cards of a batch into quarantine, readmit them, or recall them for good.

    When it returns, all of them have moved: none of a quarantined or recalled batch can be bought any more. Cards that
    are reserved are unsold, too; whoever reserved them gets others when he pays.

    Returns:
        How many cards moved.

    Raises:
        NotFound: there is no such batch.
        Conflict: it was recalled, or somebody changes it at this very moment.
    """
    async with context.db.transaction():
        row = await context.db.fetchrow(statements.LOCK_BATCH, batch)
        if row is None:
            raise NotFound("There is no such batch.", path=("input", "batch"))
        if row["state"] == "recalled" and state != "recalled":
            raise Conflict("The batch was recalled, which is for good.", cure="Import the cards anew.")
        if row["state"] != state:
            await context.db.execute(statements.SET_BATCH_STATE, batch, state)
            await context.kernel.events.emit(await _told(context, batch, state, reason))
            await _record(context, _ACTIONS[state], batch, {"reason": reason})
        elif not row["unsettled"]:
            return 0
    moved = await settle(context.db, batch, state, reason, context.principal.key)
    if moved is None:
        raise Conflict(
            "Somebody else changes this batch at this moment, or buys from it; the rest of its cards follows soon.",
            cure="Look at it again.",
        )
    return moved


async def update_batch(
    context: Context, batch: UUID, *, source: str | None = None, cost: UnitPrice | None = None
) -> None:
    """Change what is known of a batch: where it came from, and what a piece of it cost.

    Raises:
        NotFound: there is no such batch.
        InvalidInput: the cost is below zero.
    """
    if cost is not None and cost.units < 0:
        raise InvalidInput("A cost is not below zero.", path=("input", "cost"))
    async with context.db.transaction():
        changed = await context.db.fetchval(
            UPDATE_BATCH, batch, source, cost and cost.units, cost and cost.currency
        )
        if changed is None:
            raise NotFound("There is no such batch.", path=("input", "batch"))
        details: dict[str, str | int] = {}
        if source is not None:
            details["source"] = source
        if cost is not None:
            details |= {"cost_units": cost.units, "cost_currency": cost.currency}
        await _record(context, "catalog.batch_updated", batch, details)


UPDATE_BATCH = Statement(
    "catalog.update_batch",
    """
    update catalog_stock_batch set source = coalesce($2, source), cost_units = coalesce($3, cost_units),
        cost_currency = coalesce($4, cost_currency)
    where id = $1 and state <> 'arriving'
    returning id
    """,
)


async def settle(db: Database, batch: UUID, state: BatchState, reason: str, actor: str) -> int | None:
    """Move the cards of a batch to where its state wants them, chunk by chunk.

    Returns:
        How many moved; None if the rest has to wait: the state became another one meanwhile, or somebody holds cards for
        long.
    """
    moved, tries = 0, 0
    for place in _FROM[state]:
        move = statements.MOVES[place, _TO[state]]
        last = 0
        while True:
            async with db.transaction():
                row = await db.fetchrow(statements.LOCK_BATCH, batch)
                if row is None or row["state"] != state:
                    return None
                chunk = await db.fetchrow(move, batch, last, CHUNK, reason, actor)
            assert chunk is not None  # noqa: S101 - it always answers with one row
            moved += chunk["cards"]
            if chunk["busy"]:
                tries += 1
                if tries > _TRIES:
                    return None
                await asyncio.sleep(_PAUSE)
            elif chunk["last"] is None:
                break
            else:
                last = chunk["last"]
    async with db.transaction():
        row = await db.fetchrow(statements.LOCK_BATCH, batch)
        if row is None or row["state"] != state:
            return None
        await db.execute(statements.SETTLED, batch)
    return moved


async def settle_batches(kernel: Kernel) -> None:
    """Go on with batches whose cards have not all moved. Run every few minutes by a worker."""
    for row in await kernel.db.fetch(statements.UNSETTLED):
        await settle(kernel.db, row["id"], row["state"], "continued", "system")


async def _told(context: Context, batch: UUID, state: BatchState, reason: str) -> Event:
    by = context.principal.key
    if state == "quarantined":
        return BatchQuarantined(batch=str(batch), reason=reason, by=by)
    if state == "sellable":
        return BatchReadmitted(batch=str(batch), reason=reason, by=by)
    sold = await context.db.fetchval(statements.COUNT_SOLD, batch)
    return BatchRecalled(batch=str(batch), sold=sold, reason=reason, by=by)


async def _record(
    context: Context, action: str, batch: UUID, details: dict[str, str] | dict[str, str | int]
) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"stock_batch:{batch}",
        details={**details},
        correlation_id=context.correlation_id,
        address=context.address,
    )
