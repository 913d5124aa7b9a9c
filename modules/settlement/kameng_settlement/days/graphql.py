"""What the back office sees of sealed days and of checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import strawberry

from kameng.graphql import Connection, Context, Info, Node
from kameng.graphql.exact import Long
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import day_of_key, global_id, key_of_day
from kameng_settlement.admin_types import READ_LEDGER
from kameng_settlement.days.checking import CHECKS, StoredCheck, check_page, checks_by_id
from kameng_settlement.days.hashing import SealedDay
from kameng_settlement.days.proving import Anchor, read_days_of

_DAYS = Keyset("ledger-days", (("d.day", "date"),), descending=True)


@strawberry.type(description="A day of the ledger, in UTC, as it was sealed when it was over.")
class LedgerDay(Node):
    """A sealed day."""

    day: date
    transactions: Long
    postings: Long
    anchor: str = strawberry.field(
        description="The day and its hash, which covers all days before. Keep it elsewhere: `kameng ledger verify --anchor`."
    )

    @classmethod
    def of(cls, sealed: SealedDay) -> LedgerDay:
        """A sealed day as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("LedgerDay", key_of_day(sealed.day))),
            day=sealed.day,
            transactions=Long(sealed.content.transactions),
            postings=Long(sealed.content.postings),
            anchor=str(Anchor(sealed.day, sealed.hash)),
        )


@strawberry.type(description="A check of the whole ledger. It adjusts nothing.")
class LedgerCheck(Node):
    """A check of the ledger."""

    began_at: datetime
    ended_at: datetime
    accounts: Long = strawberry.field(description="How many were looked at.")
    transactions: Long
    postings: Long
    whole: bool = strawberry.field(description="Whether nothing is wrong.")
    found: int = strawberry.field(description="How many things are wrong.")
    findings: list[str] = strawberry.field(description="They; of many of a kind the first hundred.")

    @classmethod
    def of(cls, stored: StoredCheck) -> LedgerCheck:
        """A stored check as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("LedgerCheck", stored.id)),
            began_at=stored.began_at,
            ended_at=stored.ended_at,
            accounts=Long(stored.accounts),
            transactions=Long(stored.transactions),
            postings=Long(stored.postings),
            whole=stored.whole,
            found=stored.found,
            findings=stored.findings,
        )


@strawberry.type
class DayQuery:
    """Queries of days and checks."""

    @strawberry.field(description="Sealed days, the newest first.")
    async def ledger_days(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[LedgerDay]:
        """A page of sealed days."""
        info.context.require(READ_LEDGER)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(_DAYS, 1)
        rows = await info.context.db.fetch(
            f"select d.* from settlement_ledger_day d where {behind} {tail}", *cursor
        )
        days = [SealedDay.of(row) for row in rows]
        return page.connection(days, _DAYS, lambda sealed: [sealed.day], LedgerDay.of)

    @strawberry.field(
        description="Checks of the ledger, the newest first: all, or those that found something or not."
    )
    async def ledger_checks(
        self,
        info: Info,
        whole: bool | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[LedgerCheck]:
        """A page of checks."""
        info.context.require(READ_LEDGER)
        page = PageRequest.of(first, after, last, before)
        rows = await check_page(info.context.db, page, whole=whole)
        return page.connection(rows, CHECKS, lambda row: [row.id], LedgerCheck.of)


async def day_nodes(context: Context, keys: Sequence[UUID]) -> list[LedgerDay | None]:
    """Sealed days for ``node(id:)``; None for all where the principal may not read the ledger."""
    if not context.principal.may(READ_LEDGER):
        return [None] * len(keys)
    days = [day_of_key(key) for key in keys]
    sealed = {each.day: each for each in await read_days_of(context.db, [day for day in days if day])}
    return [LedgerDay.of(sealed[day]) if day in sealed else None for day in days]


async def check_nodes(context: Context, keys: Sequence[UUID]) -> list[LedgerCheck | None]:
    """Checks for ``node(id:)``; None for all where the principal may not read the ledger."""
    if not context.principal.may(READ_LEDGER):
        return [None] * len(keys)
    return [LedgerCheck.of(row) if row else None for row in await checks_by_id(context.db, list(keys))]
