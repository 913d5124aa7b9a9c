"""Reading holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from kameng.db import Database, Statement
from kameng.graphql.pages import Keyset, PageRequest

HOLDS = Keyset("holds", (("h.id", "uuid"),), descending=True)
"""Holds, the newest first."""

_COLUMNS = """
    h.id, h.kind, h.memo, h.amount, h.currency, h.state, h.placed_at, h.expires_at, h.resolved_at, h.posted,
    h.transaction, h.debit_account, h.credit_account
"""

_BY_ID = Statement(
    "settlement.read_holds", f"select {_COLUMNS} from settlement_hold h where h.id = any($1::uuid[])"
)


class StoredHold(msgspec.Struct, frozen=True):
    """A hold as it is kept: see `kameng_settlement.holds.tables.HoldTable`."""

    id: UUID
    kind: str
    memo: str
    amount: int
    currency: str
    state: str
    placed_at: datetime
    expires_at: datetime | None
    resolved_at: datetime | None
    posted: int | None
    transaction: UUID | None
    debit_account: UUID
    credit_account: UUID


async def hold_page(db: Database, page: PageRequest, *, pending: bool) -> list[StoredHold]:
    """A page of holds, with one more than asked for: all of them, or those that wait."""
    behind, tail, cursor = page.clauses(HOLDS, 1)
    waiting = "h.state = 'pending'" if pending else "true"
    rows = await db.fetch(
        f"select {_COLUMNS} from settlement_hold h where {waiting} and {behind} {tail}", *cursor
    )
    return [StoredHold(*row.values()) for row in rows]


async def holds_by_id(db: Database, keys: Sequence[UUID]) -> list[StoredHold | None]:
    """Holds in the order of their keys. One statement."""
    found = {row["id"]: StoredHold(*row.values()) for row in await db.fetch(_BY_ID, list(keys))}
    return [found.get(key) for key in keys]
