"""Reports as files: CSV and XLSX."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from kameng import money
from kameng.spreadsheets import CSV_TYPE, XLSX_TYPE, CsvTable, WorkbookTable
from kameng_analytics.reports.reading import Asked, Grain, Row, labels_of, report_rows

if TYPE_CHECKING:
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


class ReportForm(StrEnum):
    """The form of a file."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {ReportForm.CSV: CSV_TYPE, ReportForm.XLSX: XLSX_TYPE}


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

    Raises:
        InvalidInput: a workbook would have more rows than a sheet holds.
    """
    columns = COLUMNS["zh" if locale.startswith("zh") else "en"]
    table = (CsvTable if form is ReportForm.CSV else WorkbookTable)(file, columns)
    count = 0
    async for row, label in _rows(kernel, asked, locale):
        since, until = row.days(asked)
        minors = (row.refunds, row.cost, row.gross_profit, row.fees)
        refunds, cost, profit, fees = (money.Money(minor, asked.currency).amount for minor in minors)
        turnover = money.Money(row.turnover, asked.currency).amount
        texts = [since.isoformat(), until.isoformat(), row.value, label, asked.currency]
        table.write(
            [
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
            ]
        )
        count += 1
        if count % 1000 == 0:
            written(count)
    table.finish()
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
