"""Tables for spreadsheets: nothing in them is a formula, and they are as large as a sheet may be."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from decimal import Decimal

import pytest

from kameng import spreadsheets
from kameng.errors import InvalidInput
from kameng.spreadsheets import Cell, CsvTable, WorkbookTable, is_active

ATTACKS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠x"]
ROW: list[Cell] = ["plain", "", 7, Decimal("-12.50"), Decimal("1E+3")]


def written_csv(rows: list[list[Cell]], encoding: str = "utf-8-sig") -> list[list[str]]:
    file = io.BytesIO()
    table = CsvTable(file, ["a", "b"], encoding)
    table.write(rows)
    table.finish()
    return list(csv.reader(io.StringIO(file.getvalue().decode(encoding), newline="")))


def written_book(rows: list[list[Cell]]) -> list[list[object]]:
    from openpyxl import load_workbook

    file = io.BytesIO()
    table = WorkbookTable(file, ["a", "b"])
    table.write(rows)
    table.finish()
    file.seek(0)
    sheet = load_workbook(file).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_that_looks_like_a_formula_is_none(attack: str) -> None:
    assert is_active(attack)
    assert written_csv([[attack]])[1] == [f"'{attack}"]


def test_in_a_workbook_texts_are_texts_and_numbers_are_numbers() -> None:
    from openpyxl import load_workbook

    file = io.BytesIO()
    table = WorkbookTable(file, ["=a"])
    table.write([["=1+1"], ["#N/A"], ["a\x00b"]])
    table.finish()
    file.seek(0)
    cells = [row[0] for row in load_workbook(file).active.iter_rows()]
    assert [(cell.value, cell.data_type) for cell in cells] == [
        ("=a", "s"),
        ("=1+1", "s"),
        ("#N/A", "s"),
        ("a\ufffdb", "s"),
    ]
    assert written_book([ROW])[1] == ["plain", None, 7, -12.5, 1000]


def test_csv_has_plain_numbers_and_the_encoding_that_is_asked_for() -> None:
    assert written_csv([ROW])[1] == ["plain", "", "7", "-12.50", "1000"]
    assert written_csv([["卡密"]], "gb18030")[1] == ["卡密"]


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "WIDEST_SHEET", 3)
    table = WorkbookTable(io.BytesIO(), ["a"])
    table.write([["1"], ["2"]])
    with pytest.raises(InvalidInput, match="holds 2 rows"):
        table.write([["3"]])


def test_workbooks_cost_nothing_until_one_is_written() -> None:
    code = "import sys, kameng.spreadsheets; sys.exit('openpyxl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
