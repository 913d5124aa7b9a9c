"""Giving entries their place in the chain.

Business transactions must not wait for each other to write their entries, so an entry is written without a
place, and one chainer at a time gives places to all entries that it can see. An entry of a long transaction
becomes visible after younger ones and gets a later place; order in the chain is the order of becoming
visible, to the length of a batch. That is what the chain must
prove: what was there once stays there, as it was.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kameng.audit import statements
from kameng.audit.entry import GENESIS, link_hash
from kameng.audit.errors import ChainBrokenError
from kameng.audit.heads import Head, sign_head

if TYPE_CHECKING:
    from kameng.kernel import Kernel

BATCH = 1000


async def chain_pending(kernel: Kernel, batch: int = BATCH) -> int:
    """Chain all entries that wait for it; returns how many there were.

    Run it every few seconds, outside of any transaction: what has no place yet could still be removed without
    a trace. It may run anywhere and any number of times at once; while one process is at it, the others
    return 0.

    Raises:
        ChainBrokenError: the chain does not end where its signed head says.
        KeyRingError: the signing key cannot be read.
    """
    total = 0
    while True:
        chained = await _chain_batch(kernel, batch)
        total += chained
        if chained < batch:
            return total


async def _chain_batch(kernel: Kernel, batch: int) -> int:
    db = kernel.db
    async with db.transaction():
        if not await db.fetchval(statements.TRY_LOCK_CHAIN, statements.CHAIN_LOCK):
            return 0
        rows = await db.fetch(statements.PENDING, batch)
        if not rows:
            return 0
        heads = [Head.of(row) for row in await db.fetch(statements.LAST_HEADS)]
        tail = await db.fetchrow(statements.TAIL)
        position, hash_ = (tail["position"], tail["hash"]) if tail else (0, GENESIS)
        if (position, hash_) != ((heads[0].position, heads[0].hash) if heads else (0, GENESIS)):
            raise ChainBrokenError(
                "The audit log's chain does not end where its signed head says.",
                cure="Run `kameng audit verify`, keep the tables as evidence, restore them from a backup.",
            )
        positions, hashes = [], []
        for row in rows:
            position, hash_ = position + 1, link_hash(hash_, row)
            positions.append(position)
            hashes.append(hash_)
        ids = [row["id"] for row in rows]
        await db.execute(statements.ADD_LINKS, positions, ids, hashes)
        await db.execute(statements.CLEAR_PENDING, ids)
        # A clock that went back must not open an earlier day again.
        now = max(datetime.now(UTC), heads[0].signed_at) if heads else datetime.now(UTC)
        previous = next((head for head in heads if head.day < now.date()), None)
        head = sign_head(kernel.vault, position=position, hash_=hash_, signed_at=now, previous=previous)
        signature = head.signature
        await db.execute(
            statements.SET_HEAD,
            head.day,
            head.position,
            head.hash,
            head.signed_at,
            signature.version,
            signature.mac,
        )
    return len(rows)
