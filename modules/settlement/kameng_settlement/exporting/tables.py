"""Tables for spreadsheets, written row by row: CSV, and XLSX.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and a formula can read files and ask
servers. Texts of people that begin so get an apostrophe in front in CSV; in a workbook each cell says that it is text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, BinaryIO, Protocol

from kameng.errors import InvalidInput

WIDEST_SHEET = 1_048_576
"""Rows of a sheet, the header included; no spreadsheet reads more."""

Cell = str | Decimal
"""A text, or an amount."""

_ACTIVE = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class TableWriter(Protocol):
    """A table that is being written."""

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows. It may block."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...


class CsvTable:
    """Writes CSV in UTF-8, with the mark that spreadsheets look for.

    Args:
        file: where to.
        columns: the header.
    """

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(columns)

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows."""
        for row in rows:
            self._writer.writerow(
                [
                    f"{cell:f}" if isinstance(cell, Decimal) else f"'{cell}" if _ACTIVE.match(cell) else cell
                    for cell in row
                ]
            )

    def finish(self) -> None:
        """Write what is left; the file stays open."""
        self._text.detach()


class WorkbookTable:
    """Writes a workbook of one sheet.

    Args:
        file: where to.
        columns: the header.
    """

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        # Imported when it is needed: openpyxl would make every start of every process slower.
        from openpyxl import Workbook

        self._file = file
        self._book = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("Kameng")
        self._rows = 0
        self.write([columns])

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows.

        Raises:
            InvalidInput: they are more than a sheet holds.
        """
        from openpyxl.cell import WriteOnlyCell

        self._rows += len(rows)
        if self._rows > WIDEST_SHEET:
            raise InvalidInput(
                f"A sheet holds {WIDEST_SHEET - 1:,} rows, and these are more.",
                cure="Take CSV, or a shorter time.",
            )
        for row in rows:
            cells = []
            for value in row:
                if isinstance(value, Decimal):
                    cells.append(WriteOnlyCell(self._sheet, value))
                    continue
                cell = WriteOnlyCell(self._sheet, None)
                cell.value = _UNSTORABLE.sub("\ufffd", value)
                # Otherwise `=1+1` would be a formula.
                cell.data_type = "s"
                cells.append(cell)
            self._sheet.append(cells)

    def finish(self) -> None:
        """Write the workbook."""
        self._book.save(self._file)
