"""Statements of account: what an account had before a time, what came and went in it, and what it had after.

By the date of posting, when something was written, or by the effective date, for which it counts. A posting that was written
later and counts for earlier changes a statement of the second kind that was printed before, and none of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from kameng.db import Database, Statement
from kameng.errors import InvalidInput
from kameng.graphql.nested import by_owner, for_each
from kameng.graphql.pages import PageRequest
from kameng.settings import ThemesSettings
from kameng_settlement.lines import LINES, Line

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class LedgerDate(StrEnum):
    """By which of its two dates a ledger transaction counts."""

    POSTED = "posted"
    EFFECTIVE = "effective"

    @property
    def column(self) -> str:
        """The column of ``settlement_ledger_transaction``."""
        return f"{self.value}_at"


_SUMS_BY = """
    select w.place,
        coalesce(sum(s.debit) filter (where s.at < $2), 0)::bigint as debits_before,
        coalesce(sum(s.credit) filter (where s.at < $2), 0)::bigint as credits_before,
        coalesce(sum(s.debit) filter (where s.at >= $2), 0)::bigint as debits,
        coalesce(sum(s.credit) filter (where s.at >= $2), 0)::bigint as credits
    from unnest($1::uuid[]) with ordinality as w(account, place)
    left join lateral (
        select t.{column} as at, side.debit, side.credit
        from (
            select transaction, amount as debit, 0 as credit from settlement_posting where debit_account = w.account
            union all
            select transaction, 0, amount from settlement_posting where credit_account = w.account
        ) side
        join settlement_ledger_transaction t on t.id = side.transaction
        where t.{column} < $3
    ) s on true
    group by w.place
"""

_SUMS = {
    by: Statement(f"settlement.sum_periods_{by}", _SUMS_BY.format(column=by.column)) for by in LedgerDate
}


class Period(msgspec.Struct, frozen=True):
    """A time for which an account is stated.

    Attributes:
        since: its first moment.
        until: the first moment after it.
        by: which date of a transaction has to lie in it.
    """

    since: datetime
    until: datetime
    by: LedgerDate = LedgerDate.POSTED

    @classmethod
    def of(cls, since: datetime, until: datetime, by: LedgerDate = LedgerDate.POSTED) -> Period:
        """Check the moments.

        Raises:
            InvalidInput: the time ends before it begins.
        """
        if until <= since:
            raise InvalidInput("The time ends before it begins.", cure="Exchange the two.", path=("until",))
        return cls(since, until, by)


def days_of_pages(kernel: Kernel, since: date, until: date) -> tuple[datetime, datetime]:
    """The first moment of some days as the shop's pages show them, and the first one after; both days are included."""
    zone = ZoneInfo(kernel.settings.section("themes", ThemesSettings).time_zone)
    begin, end = (datetime.combine(day, time(), zone) for day in (since, until + timedelta(days=1)))
    return begin, end


def today_of_pages(kernel: Kernel) -> date:
    """Which day it is as the shop's pages show it."""
    return datetime.now(ZoneInfo(kernel.settings.section("themes", ThemesSettings).time_zone)).date()


class Sums(msgspec.Struct, frozen=True):
    """What an account has taken in and given out, in minor units.

    Attributes:
        debits_before, credits_before: until the period began.
        debits, credits: in it.
    """

    debits_before: int = 0
    credits_before: int = 0
    debits: int = 0
    credits: int = 0

    @property
    def opening(self) -> int:
        """Credits minus debits when the period began."""
        return self.credits_before - self.debits_before

    @property
    def closing(self) -> int:
        """Credits minus debits when the period was over."""
        return self.opening + self.credits - self.debits


async def sums_of_accounts(db: Database, accounts: Sequence[UUID], period: Period) -> list[Sums]:
    """The sums of each account, in order. One statement, which reads the accounts' lines up to the period's end."""
    rows = await db.fetch(_SUMS[period.by], list(accounts), period.since, period.until)
    found = {row["place"]: Sums(*tuple(row.values())[1:]) for row in rows}
    return [found[place] for place in range(1, len(accounts) + 1)]


async def lines_of_period(
    db: Database, accounts: Sequence[UUID], period: Period, page: PageRequest
) -> list[list[Line]]:
    """A page of each account's lines in a period, the newest first, and one more than asked for. One statement."""
    behind, tail, cursor = page.clauses(LINES, 4)
    side = """
        select p.id, p.transaction, {sign}p.amount as credited, p.currency, t.kind, t.memo, t.effective_at, t.posted_at
        from settlement_posting p join settlement_ledger_transaction t on t.id = p.transaction
        where p.{side}_account = owner.key and t.{column} >= $2 and t.{column} < $3 and {behind} {tail}
    """
    lines = f"""
        select p.* from (
            ({side.format(sign="-", side="debit", column=period.by.column, behind=behind, tail=tail)})
            union all
            ({side.format(sign="", side="credit", column=period.by.column, behind=behind, tail=tail)})
        ) as p
        {tail}
        """
    rows = await db.fetch(
        Statement(f"settlement.period_lines_{period.by}", for_each(lines)),
        accounts,
        period.since,
        period.until,
        *cursor,
    )
    return [
        [Line(**{name: row[name] for name in Line.__struct_fields__}) for row in group]
        for group in by_owner(rows, accounts)
    ]
