"""Reading the journal for a file: one snapshot of the database, some rows at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.db import Statement
from kameng_settlement.periods import Period

if TYPE_CHECKING:
    import asyncpg

    from kameng.db import Database

AT_ONCE = 1_000
"""Rows that are in memory together."""

EVER = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
"""All of the journal."""

_LINES = Statement(
    "settlement.export_journal",
    """
    select t.id, t.key, t.kind, t.memo, t.effective_at, t.posted_at, t.reverses, p.id as posting, p.amount, p.currency,
        p.debit_account, d.kind as debit_kind, d.owner_id as debit_owner,
        p.credit_account, c.kind as credit_kind, c.owner_id as credit_owner
    from settlement_ledger_transaction t
    join settlement_posting p on p.transaction = t.id
    join settlement_account d on d.id = p.debit_account
    join settlement_account c on c.id = p.credit_account
    where t.posted_at >= $1 and t.posted_at < $2
    order by t.posted_at, t.id, p.seq
    """,
)

_ACCOUNTS = Statement(
    "settlement.export_accounts",
    "select id, kind, owner_kind, owner_id, currency, normal_side from settlement_account order by id",
)

_KEPT = Statement(
    "settlement.export_balances",
    "select account, sum(debits - credits)::bigint as debited from settlement_balance group by account",
)

_BEFORE = Statement(
    "settlement.export_sums",
    """
    select account, sum(amount)::bigint as debited from (
        select p.debit_account as account, p.amount from settlement_posting p
        join settlement_ledger_transaction t on t.id = p.transaction where t.posted_at < $1
        union all
        select p.credit_account, -p.amount from settlement_posting p
        join settlement_ledger_transaction t on t.id = p.transaction where t.posted_at < $1
    ) s group by account
    """,
)


class ExportAccount(msgspec.Struct, frozen=True):
    """An account of the file.

    Attributes:
        id, kind, owner_kind, owner_id, currency, normal_side: see `kameng_settlement.tables.Account`.
    """

    id: UUID
    kind: str
    owner_kind: str
    owner_id: UUID
    currency: str
    normal_side: str


class Snapshot:
    """The journal as it is at one moment.

    Args:
        connection: in a transaction that sees one moment.
        period: what of it is asked for.
    """

    def __init__(self, connection: asyncpg.Connection, period: Period) -> None:
        self._connection = connection
        self.period = period

    async def lines(self) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """The postings of the period with their transactions, some at a time, in the order of posting."""
        cursor = await self._connection.cursor(_LINES.sql, self.period.since, self.period.until)
        while rows := await cursor.fetch(AT_ONCE):
            yield rows

    async def accounts(self) -> list[ExportAccount]:
        """All accounts, the oldest first."""
        return [ExportAccount(*row.values()) for row in await self._connection.fetch(_ACCOUNTS.sql)]

    async def opening(self) -> dict[UUID, int]:
        """Debits minus credits of each account before the period, as the journal adds up."""
        return await self._sums(_BEFORE, self.period.since)

    async def closing(self) -> dict[UUID, int]:
        """Debits minus credits of each account after it: where the period has no end, as the ledger keeps them."""
        if self.period.until == EVER.until:
            return await self._sums(_KEPT)
        return await self._sums(_BEFORE, self.period.until)

    async def _sums(self, statement: Statement, *values: Any) -> dict[UUID, int]:
        rows = await self._connection.fetch(statement.sql, *values)
        return {row["account"]: row["debited"] for row in rows}


@asynccontextmanager
async def snapshot(db: Database, period: Period) -> AsyncIterator[Snapshot]:
    """The journal at this moment, on a connection of its own, outside any transaction of the task."""
    async with (
        db.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield Snapshot(connection, period)
