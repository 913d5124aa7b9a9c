"""A day's outcome as a file: every case with both sides, as CSV or XLSX."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from kameng.db import Statement
from kameng.money import Money
from kameng.spreadsheets import CSV_TYPE, XLSX_TYPE, Cell, CsvTable, TableWriter, WorkbookTable

if TYPE_CHECKING:
    from kameng.kernel import Kernel

COLUMNS = (
    "source",
    "day",
    "difference",
    "kind",
    "number",
    "currency",
    "effect",
    "fee_effect",
    "state",
    "theirs_reference",
    "theirs_amount",
    "theirs_fee",
    "theirs_status",
    "theirs_at",
    "theirs_line",
    "ours_amount",
    "ours_fee",
    "ours_status",
    "ours_at",
    "owner",
    "action",
    "reason",
    "transaction",
    "settled_by",
    "settled_at",
)

_TOGETHER = 2_000

_CASES = Statement(
    "settlement.cases_to_export",
    "select * from settlement_case where source = $1 and day = $2 and id > $3 order by id limit 2000",
)


class CaseFileFormat(StrEnum):
    """The forms of files."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    CaseFileFormat.CSV: CSV_TYPE,
    CaseFileFormat.XLSX: XLSX_TYPE,
}


async def export_cases(kernel: Kernel, source: str, day: date, form: CaseFileFormat, file: BinaryIO) -> int:
    """Write the cases of an account's day into a file; returns how many."""
    writer: TableWriter = (
        CsvTable(file, COLUMNS) if form is CaseFileFormat.CSV else WorkbookTable(file, COLUMNS)
    )
    rows, after = 0, "00000000-0000-0000-0000-000000000000"
    while some := await kernel.db.fetch(_CASES, source, day, after):
        await asyncio.to_thread(writer.write, [_cells(row) for row in some])
        rows, after = rows + len(some), some[-1]["id"]
    await asyncio.to_thread(writer.finish)
    return rows


def _cells(row: Mapping[str, Any]) -> list[Cell]:
    theirs, ours = (orjson.loads(row[side] or "{}") for side in ("theirs_said", "ours_said"))
    currency = row["currency"]

    def amount(value: int | None) -> Cell:
        return "" if value is None else Money(value, currency).amount

    return [
        row["source"],
        row["day"].isoformat(),
        row["difference"],
        row["kind"],
        row["number"],
        currency,
        amount(row["effect_minor"]),
        amount(row["fee_effect_minor"]),
        row["state"],
        theirs.get("reference") or "",
        amount(theirs.get("amount")),
        amount(theirs.get("fee")),
        theirs.get("status") or "",
        theirs.get("at") or "",
        str(theirs.get("line") or ""),
        amount(ours.get("amount")),
        amount(ours.get("fee")),
        ours.get("status") or "",
        ours.get("at") or "",
        row["owner"] or "",
        row["action"] or "",
        row["reason"],
        str(row["posted"] or ""),
        row["settled_by"] or "",
        row["settled_at"].isoformat() if row["settled_at"] else "",
    ]
