"""Cards of imports that came to nothing: taken out of the vault again.

The cards of an import that survives restarts are committed piece by piece. Until the last one is there their batch is
``arriving``: it is shown nowhere, and none of its cards lies where it could be sold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng_catalog.importing import card_statements as statements
from kameng_catalog.sealing import scope_of

if TYPE_CHECKING:
    from kameng.kernel import Kernel

CHUNK = 5_000
"""Cards of one transaction."""


async def take_back(kernel: Kernel, batch: UUID) -> bool:
    """Delete what has arrived of a batch, and the batch; returns whether it was there.

    It can be stopped anywhere and called again. A batch that is in stock is left alone.
    """
    db = kernel.db
    while True:
        async with db.transaction():
            if await db.fetchval(statements.LOCK_ARRIVING, batch) is None:
                return False
            tag = await db.execute(statements.TAKE_BACK, batch, CHUNK)
            if tag == "DELETE 0":
                await db.execute(statements.DROP_BATCH, batch)
                await kernel.vault.shred(scope_of(batch))
                return True


async def take_back_abandoned(kernel: Kernel) -> None:
    """Delete what arrived by jobs that have ended since: cancelled, or given up. Run every few minutes by a worker."""
    batches = [UUID(int=row["id"].int) for row in await kernel.db.fetch(statements.ARRIVING)]
    still_open = await kernel.jobs.still_open(batches)
    for batch in batches:
        if batch not in still_open:
            await take_back(kernel, batch)
