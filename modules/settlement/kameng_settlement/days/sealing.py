"""Sealing days that are over.

A transaction counts in the day in which it began, by the database's clock. So a day can be sealed as soon as nothing runs
any more that began in it: no sale ever waits for this, this waits for them.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from kameng.db import Statement
from kameng_settlement.days.hashing import GENESIS, bounds, day_hash, read_content, sign_day

if TYPE_CHECKING:
    from kameng.kernel import Kernel

GRACE = timedelta(minutes=5)
"""How long after its end a day is sealed at the earliest."""

_LOCK = 0x6B6D2D646179  # "km-day": one process adds to the chain at a time

_TRY_LOCK = Statement("settlement.try_lock_days", "select pg_try_advisory_xact_lock($1)")

_LAST = Statement(
    "settlement.last_sealed_day", "select day, hash from settlement_ledger_day order by day desc limit 1"
)

_FIRST = Statement(
    "settlement.first_day_posted",
    "select (min(posted_at) at time zone 'UTC')::date from settlement_ledger_transaction",
)

_OVER = Statement("settlement.day_is_over", "select now() >= $1")

_UNDER_WAY = Statement(
    "settlement.day_is_under_way",
    # Whose transactions we are not allowed to see counts as under way while it has any.
    """
    select exists (
        select from pg_stat_activity a
        where a.datname = current_database() and a.pid <> pg_backend_pid()
            and a.backend_type is distinct from 'autovacuum worker'
            and (a.xact_start < $1 or a.query = '<insufficient privilege>' and exists (
                select from pg_locks l where l.pid = a.pid and l.locktype = 'virtualxid'))
    )
    """,
)

_SEAL = Statement(
    "settlement.seal_day",
    """
    insert into settlement_ledger_day (day, transactions, postings, content, hash, key_version, mac, sealed_at)
    values ($1, $2, $3, $4, $5, $6, $7, now())
    """,
)


async def seal_days(kernel: Kernel) -> None:
    """Seal all days that are over, the oldest first, those without a transaction too.

    Run every few minutes; it may run anywhere and any number of times at once. A transaction of hours keeps its day open.
    """
    while await _seal_next(kernel):
        pass


async def _seal_next(kernel: Kernel) -> bool:
    """Seal one day; whether there may be another one."""
    db = kernel.db
    async with db.transaction():
        if not await db.fetchval(_TRY_LOCK, _LOCK):
            return False
        last = await db.fetchrow(_LAST)
        day: date | None = last["day"] + timedelta(days=1) if last else await db.fetchval(_FIRST)
        if day is None:
            return False
        end = bounds(day)[1]
        if not await db.fetchval(_OVER, end + GRACE) or await db.fetchval(_UNDER_WAY, end):
            return False
        content = await read_content(db, day)
        hash_ = day_hash(last["hash"] if last else GENESIS, day, content)
        signature = sign_day(kernel.vault, day, hash_)
        await db.execute(
            _SEAL,
            day,
            content.transactions,
            content.postings,
            content.content,
            hash_,
            signature.version,
            signature.mac,
        )
    return True
