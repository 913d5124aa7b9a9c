"""A run: one account's day compared, its differences made cases, what agrees marked, and what is late carried over.

All of it is one transaction, in which the account's turn is taken: a run that dies leaves nothing, two at once follow each
other, and one that is repeated finds everything done.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import orjson

from kameng.errors import InvalidInput
from kameng.ids import new_id
from kameng_settlement.reconciliation.carrying import carry_over
from kameng_settlement.reconciliation.events import CasesFound
from kameng_settlement.reconciliation.faults import BillMissing
from kameng_settlement.reconciliation.found_cases import Found, found_cases, funds_cases
from kameng_settlement.reconciliation.importing import bill_format, copy_in, csv_of
from kameng_settlement.reconciliation.normal import BillKind
from kameng_settlement.reconciliation.reading_sides import read_sides
from kameng_settlement.reconciliation.statements import (
    ADD_CASES,
    ADD_NOTES,
    BEGIN_RUN,
    CLEAR_CASES,
    COUNT_RUN,
    END_DOUBT,
    END_RUN,
    FIND_BILL,
    FUND_MOVEMENTS,
    OPEN_CARRIES,
    TAKE_TURNS,
    UNSETTLED_CASES,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel

CARRY_FOR = timedelta(minutes=10)
"""How long before an account's cut-off a row may stand in the next day's bill."""

MOST_CASES = 50_000
"""Differences of one run; more mean that two things were compared that have nothing to do with each other."""

_TOGETHER = 5_000
_RUN = "run"

Step = Callable[[str], None]
"""Hears what a run is at: ``reading``, ``comparing``, ``writing``."""


class TooManyDifferences(InvalidInput):
    """A run found so many differences that the bill can hardly be of this account and day."""

    code = "TOO_MANY_DIFFERENCES"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to.

    Attributes:
        id: of the reconciliation.
        source, day: what was compared.
        their_rows, our_rows: how many were looked at: those that were not matched before.
        matched: how many agree, of all runs of the day.
        carried: how many wait for the next day's bill, or waited.
        opened: new cases, by difference.
        cleared: cases that this run explained.
    """

    id: UUID
    source: str
    day: date
    their_rows: int
    our_rows: int
    matched: int
    carried: int
    opened: dict[str, int]
    cleared: int


def _unheard(_step: str) -> None:
    """Nobody wants to know."""


async def reconcile(
    kernel: Kernel,
    source: str,
    day: date,
    *,
    principal: Principal,
    carry: timedelta = CARRY_FOR,
    step: Step = _unheard,
) -> Run:
    """Compare a day of an account with what we recorded; joins the transaction around it. Repeating it is harmless.

    Raises:
        BillMissing: the day's bill of trades was not imported.
        TooManyDifferences: the two sides have little in common.
        UnavailableError: polars is not installed.
    """
    async with kernel.db.transaction():
        await kernel.db.execute(TAKE_TURNS, source)
        bill = await kernel.db.fetchrow(FIND_BILL, source, day, BillKind.TRADE.value)
        if bill is None:
            raise BillMissing(
                f"There is no bill of {source} for {day}.",
                cure="Import it first: `kameng reconcile import`, or the mutation importBill.",
                path=("input", "day"),
            )
        return await _Work(kernel, source, day, bill, principal, carry, step).do()


class _Work:
    """One run under way."""

    def __init__(
        self,
        kernel: Kernel,
        source: str,
        day: date,
        bill: Mapping[str, Any],
        principal: Principal,
        carry: timedelta,
        step: Step,
    ) -> None:
        self._kernel, self._db = kernel, kernel.db
        self._source, self._day, self._bill = source, day, bill
        self._principal, self._carry, self._step = principal, carry, step

    async def do(self) -> Run:
        # Only where a run is done: polars is heavy.
        from kameng_settlement.reconciliation.bills.reading import day_bounds
        from kameng_settlement.reconciliation.matching import compare

        zone = (await bill_format(self._kernel, self._bill["format"])).layout.zone
        begins, ends = day_bounds(self._day, zone)
        run = await self._db.fetchrow(BEGIN_RUN, new_id(), self._source, self._day, self._principal.key)
        assert run is not None  # noqa: S101 - it returns its row
        self._run = UUID(int=run["id"].int)
        self._step("reading")
        carries = await self._db.fetch(OPEN_CARRIES, self._source, self._day)
        cases = await self._db.fetch(UNSETTLED_CASES, self._source)
        waiting = [*carries, *cases]
        theirs, ours = await read_sides(
            self._db, self._source, self._bill["id"], waiting, (begins, ends), self._carry
        )
        self._step("comparing")
        compared = await asyncio.to_thread(compare, theirs, ours, day_ends=ends, carry=self._carry)
        if compared.differences.height > MOST_CASES:
            raise TooManyDifferences(
                f"The bill and our records differ in {compared.differences.height:,} places.",
                cure="Check that the bill is of this account, and that our payments of the day are there.",
            )
        self._step("writing")
        found = found_cases(compared.differences, self._day, zone)
        found += await self._funds()
        await self._mark(compared.matched)
        opened = await self._open(found)
        cleared = await self._clear(found, cases)
        await carry_over(self._db, self._source, self._day, self._run, compared, carries)
        ended = [row["id"] for row in await self._db.fetch(END_DOUBT, self._source, self._day)]
        await self._note(ended, "doubt_ended", f"The bill of {self._day} does not show it either.")
        counted = await self._count(theirs.height, ours.height)
        if opened:
            await self._kernel.events.emit(
                CasesFound(
                    reconciliation=str(self._run),
                    account=self._source,
                    day=self._day.isoformat(),
                    opened=dict(opened),
                )
            )
        if opened or cleared or compared.matched.height:
            await self._kernel.audit.record(
                "settlement.reconciled",
                principal=self._principal,
                subject=f"reconciliation:{self._run}",
                details={
                    "source": self._source,
                    "day": self._day.isoformat(),
                    "matched": compared.matched.height,
                    "opened": dict(opened),
                    "cleared": cleared,
                },
            )
        return Run(
            id=self._run,
            source=self._source,
            day=self._day,
            their_rows=theirs.height,
            our_rows=ours.height,
            matched=counted["matched"],
            carried=counted["carried"],
            opened=dict(opened),
            cleared=cleared,
        )

    async def _funds(self) -> list[Found]:
        """Whether what was traded is what moved on the account there."""
        bill = await self._db.fetchrow(FIND_BILL, self._source, self._day, BillKind.FUNDS.value)
        if bill is None:
            return []
        moved = {row["currency"]: row["moved"] for row in await self._db.fetch(FUND_MOVEMENTS, bill["id"])}
        return funds_cases(orjson.loads(self._bill["totals"]), moved, self._day)

    async def _mark(self, matched: pl.DataFrame) -> None:
        import polars as pl

        if matched.height:
            content = await asyncio.to_thread(
                csv_of, matched.with_columns(pl.lit(str(self._run)).alias("reconciliation"))
            )
            await copy_in(
                self._kernel, "settlement_bill_match", ("bill_row", "ours", "reconciliation"), content
            )

    async def _open(self, found: Sequence[Found]) -> Counter[str]:
        """Make cases of differences that are not known yet."""
        opened: Counter[str] = Counter()
        for start in range(0, len(found), _TOGETHER):
            some = {new_id(): case for case in found[start : start + _TOGETHER]}
            rows = await self._db.fetch(
                ADD_CASES,
                self._run,
                self._source,
                self._day,
                list(some),
                *([getattr(case, name) for case in some.values()] for name in _CASE_COLUMNS),
            )
            fresh = [UUID(int=row["id"].int) for row in rows]
            await self._note(fresh, "opened", "")
            opened.update(some[key].difference for key in fresh)
        return opened

    async def _clear(self, found: Sequence[Found], cases: Sequence[Mapping[str, Any]]) -> int:
        """Close the cases that nothing speaks for any more, such as those whose other side came late."""
        marks = {case.mark for case in found}
        # A comparison of money that moved belongs to its own day.
        gone = [
            case["id"]
            for case in cases
            if case["mark"] not in marks and (case["difference"] != "funds" or case["day"] == self._day)
        ]
        if gone:
            await self._db.execute(CLEAR_CASES, gone, _RUN)
            await self._note(gone, "cleared", f"The two sides agree as of the bill of {self._day}.")
        return len(gone)

    async def _count(self, their_rows: int, our_rows: int) -> Mapping[str, int]:
        counted = await self._db.fetchrow(COUNT_RUN, self._run, self._source, self._day)
        assert counted is not None  # noqa: S101 - a select without FROM has one row
        run = await self._db.fetchrow(
            "select their_rows, our_rows from settlement_reconciliation where id = $1", self._run
        )
        assert run is not None  # noqa: S101 - `do` wrote it
        await self._db.execute(
            END_RUN,
            self._run,
            max(run["their_rows"], their_rows),
            max(run["our_rows"], our_rows),
            counted["matched"],
            counted["carried"],
            self._bill["totals"],
            self._principal.key,
        )
        return dict(counted)

    async def _note(self, cases: Sequence[UUID], what: str, text: str) -> None:
        if cases:
            await self._db.execute(ADD_NOTES, list(cases), what, _RUN, text)


_CASE_COLUMNS = (
    "mark",
    "difference",
    "kind",
    "number",
    "currency",
    "effect",
    "fee_effect",
    "bill_row",
    "ours",
    "theirs_said",
    "ours_said",
    "state",
    "doubtful_until",
)
