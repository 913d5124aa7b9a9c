"""Reports as files: CSV and XLSX.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and a formula can read files and ask
servers. Texts that begin so get an apostrophe in front in CSV; in a workbook each text says that it is one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from kameng import money
from kameng_analytics.reports.reading import Asked, Grain, Row, labels_of, report_rows

if TYPE_CHECKING:
    from decimal import Decimal

    from kameng.kernel import Kernel

COLUMNS = {
    "en": (
        "from", "to", "key", "name", "currency", "orders", "pieces", "turnover", "refunded pieces", "refunds",
        "cost", "gross profit", "fees", "late entries",
    ),
    "zh": (
        "开始日期", "结束日期", "编号", "名称", "币种", "订单数", "件数", "营业额",
        "退款件数", "退款", "成本", "毛利", "手续费", "跨日补记",
    ),
}  # fmt: skip
"""The header, by language."""

_ACTIVE = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class ReportForm(StrEnum):
    """The form of a file."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    ReportForm.CSV: "text/csv; charset=utf-8",
    ReportForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def write_report(
    kernel: Kernel,
    asked: Asked,
    form: ReportForm,
    file: BinaryIO,
    locale: str,
    written: Callable[[int], None] = lambda rows: None,
) -> int:
    """Write a report, the oldest period first; one period is in memory at a time.

    Args:
        kernel: whose.
        asked: which, checked.
        form: of the file.
        file: where to; it stays open.
        locale: of the header and of names.
        written: is told how many rows are written so far.

    Returns:
        how many rows.
    """
    columns = COLUMNS["zh" if locale.startswith("zh") else "en"]
    writer = _Csv(file, columns) if form is ReportForm.CSV else _Workbook(file, columns)
    count = 0
    async for row, label in _rows(kernel, asked, locale):
        since, until = row.days(asked)
        minors = (row.refunds, row.cost, row.gross_profit, row.fees)
        refunds, cost, profit, fees = (money.Money(minor, asked.currency).amount for minor in minors)
        turnover = money.Money(row.turnover, asked.currency).amount
        texts = [since.isoformat(), until.isoformat(), row.value, label, asked.currency]
        writer.write(
            [
                *texts,
                row.orders,
                row.pieces,
                turnover,
                row.refunded_pieces,
                refunds,
                cost,
                profit,
                fees,
                row.late,
            ]
        )
        count += 1
        if count % 1000 == 0:
            written(count)
    writer.finish()
    return count


async def _rows(kernel: Kernel, asked: Asked, locale: str) -> AsyncIterator[tuple[Row, str]]:
    for since, until in _periods(asked):
        part = msgspec.structs.replace(asked, since=since, until=until)
        rows = await report_rows(kernel.db, part, None)
        labels = await labels_of(kernel, asked.dimension, [row.value for row in rows], locale)
        for row in reversed(rows):
            yield row, labels[row.value]


def _periods(asked: Asked) -> list[tuple[date, date]]:
    """The parts of a report that are read together: its days, weeks or months."""
    parts: list[tuple[date, date]] = []
    day = asked.since
    while day <= asked.until:
        if asked.grain is Grain.DAY:
            end = day
        elif asked.grain is Grain.WEEK:
            end = day + timedelta(days=6 - day.weekday())
        else:
            end = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        parts.append((day, min(end, asked.until)))
        day = end + timedelta(days=1)
    return parts


class _Csv:
    """CSV in UTF-8, with the mark that spreadsheets look for."""

    def __init__(self, file: BinaryIO, columns: tuple[str, ...]) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(columns)

    def write(self, row: list[str | int | Decimal]) -> None:
        self._writer.writerow(
            [
                f"'{cell}"
                if isinstance(cell, str) and _ACTIVE.match(cell)
                else f"{cell:f}"
                if not isinstance(cell, str | int)
                else cell
                for cell in row
            ]
        )

    def finish(self) -> None:
        self._text.detach()


class _Workbook:
    """A workbook of one sheet."""

    def __init__(self, file: BinaryIO, columns: tuple[str, ...]) -> None:
        # Imported when it is needed: openpyxl would make every start of every process slower.
        from openpyxl import Workbook

        self._file = file
        self._book = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("Kameng")
        self.write(list(columns))

    def write(self, row: list[str | int | Decimal]) -> None:
        from openpyxl.cell import WriteOnlyCell

        cells = []
        for value in row:
            if not isinstance(value, str):
                cells.append(WriteOnlyCell(self._sheet, value))
                continue
            cell = WriteOnlyCell(self._sheet, None)
            cell.value = _UNSTORABLE.sub("\ufffd", value)
            # Otherwise `=1+1` would be a formula.
            cell.data_type = "s"
            cells.append(cell)
        self._sheet.append(cells)

    def finish(self) -> None:
        self._book.save(self._file)
