"""Writing the journal of a period to a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import msgspec

from kameng.money import Money
from kameng.spreadsheets import CSV_TYPE, XLSX_TYPE, Cell, CsvTable, WorkbookTable
from kameng_settlement.chart import HOUSE, Chart
from kameng_settlement.exporting.beancount import BeancountBook
from kameng_settlement.exporting.reading import Snapshot, snapshot
from kameng_settlement.periods import Period

if TYPE_CHECKING:
    from kameng.kernel import Kernel

COLUMNS = (
    "posted_at",
    "effective_at",
    "transaction",
    "kind",
    "key",
    "memo",
    "reverses",
    "debit_account",
    "debit_owner",
    "credit_account",
    "credit_owner",
    "amount",
    "currency",
)
"""The columns of a table; each row is a posting."""


class ExportFormat(StrEnum):
    """The forms of files."""

    CSV = "csv"
    XLSX = "xlsx"
    BEANCOUNT = "beancount"


class Form(msgspec.Struct, frozen=True):
    """What a form of file is called.

    Attributes:
        suffix: of its name.
        media_type: of its content.
    """

    suffix: str
    media_type: str


FORMS = {
    ExportFormat.CSV: Form(".csv", CSV_TYPE),
    ExportFormat.XLSX: Form(".xlsx", XLSX_TYPE),
    ExportFormat.BEANCOUNT: Form(".beancount", "text/plain; charset=utf-8"),
}


def _unheard(_rows: int) -> None:
    """Nobody wants to know."""


async def export_journal(
    kernel: Kernel,
    period: Period,
    form: ExportFormat,
    file: BinaryIO,
    progress: Callable[[int], None] = _unheard,
) -> int:
    """Write the journal of a period, as it is at this moment; answers how many postings.

    Args:
        kernel: the shop's.
        period: by the time of posting.
        form: of the file.
        file: where to; it stays open.
        progress: hears how many postings were written so far.
    """
    async with snapshot(kernel.db, period) as journal:
        if form is ExportFormat.BEANCOUNT:
            return await _book(journal, kernel.services.get(Chart), file, progress)
        return await _table(journal, form, file, progress)


async def _table(
    journal: Snapshot, form: ExportFormat, file: BinaryIO, progress: Callable[[int], None]
) -> int:
    writer = (WorkbookTable if form is ExportFormat.XLSX else CsvTable)(file, COLUMNS)
    written = 0
    async for rows in journal.lines():
        await asyncio.to_thread(writer.write, [_cells(row) for row in rows])
        written += len(rows)
        progress(written)
    await asyncio.to_thread(writer.finish)
    return written


async def _book(journal: Snapshot, chart: Chart, file: BinaryIO, progress: Callable[[int], None]) -> int:
    book = BeancountBook(await journal.accounts(), chart)
    written = 0
    last: date | None = None
    rest: list[Mapping[str, Any]] = []

    def write(parts: Sequence[str]) -> None:
        file.write("".join(parts).encode())

    opening = await journal.opening()
    async for rows in journal.lines():
        if last is None:
            write(list(book.begin(journal.period, opening, rows[0]["posted_at"])))
        # The last transaction of a piece may go on in the next one.
        rest += rows
        edge = len(rest)
        while edge and rest[edge - 1]["id"] == rest[-1]["id"]:
            edge -= 1
        whole, rest = rest[:edge], rest[edge:]
        await asyncio.to_thread(write, list(book.transactions(whole)))
        last = rows[-1]["posted_at"].astimezone(UTC).date()
        written += len(rows)
        progress(written)
    if last is None:
        now = datetime.now(UTC)
        write(list(book.begin(journal.period, opening, min(now, journal.period.until))))
        last = min(now, journal.period.until).date()
    write(list(book.transactions(rest)))
    write(list(book.end(await journal.closing(), last)))
    return written


def _cells(row: Mapping[str, Any]) -> list[Cell]:
    return [
        _moment(row["posted_at"]),
        _moment(row["effective_at"]),
        str(row["id"]),
        row["kind"],
        row["key"],
        row["memo"],
        str(row["reverses"] or ""),
        row["debit_kind"],
        _owner(row["debit_owner"]),
        row["credit_kind"],
        _owner(row["credit_owner"]),
        Money(row["amount"], row["currency"]).amount,
        row["currency"],
    ]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _owner(owner: UUID) -> str:
    return "" if owner == HOUSE else str(owner)
