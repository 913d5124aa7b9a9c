"""Tables for spreadsheets, written row by row: CSV, and XLSX.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and a formula can read files and ask
servers. Texts that begin so get an apostrophe in front in CSV; in a workbook each cell says that it is text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, BinaryIO, Final, Protocol, TypeAlias

from kameng.errors import InvalidInput

WIDEST_SHEET: Final = 1_048_576
"""Rows of a sheet, the header included; no spreadsheet reads more."""

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Cell: TypeAlias = str | int | Decimal
"""A text, a count, or an amount."""

_ACTIVE = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class TableWriter(Protocol):
    """A table that is being written."""

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows. It may block."""
        ...

    def finish(self) -> None:
        """Write what is left; the file stays open."""
        ...


def is_active(text: str) -> bool:
    """Whether a spreadsheet takes a text for a formula."""
    return _ACTIVE.match(text) is not None


class CsvTable:
    """Writes CSV.

    Args:
        file: where to; it stays open.
        columns: the header.
        encoding: ``utf-8-sig``, whose mark tells spreadsheets the encoding, or another one.
    """

    def __init__(self, file: BinaryIO, columns: Sequence[str], encoding: str = "utf-8-sig") -> None:
        self._text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(columns)

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows."""
        for row in rows:
            self._writer.writerow([_plain(cell) for cell in row])

    def finish(self) -> None:
        """Write what is left."""
        self._text.detach()

    def close(self) -> None:
        """Let go of the file, unless `finish` gave it back."""
        self._text.close()


def _plain(cell: Cell) -> str | int:
    if isinstance(cell, str):
        return f"'{cell}" if is_active(cell) else cell
    return f"{cell:f}" if isinstance(cell, Decimal) else cell


class WorkbookTable:
    """Writes an XLSX workbook of one sheet.

    Args:
        file: where to; it stays open.
        columns: the header.
    """

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        # Imported when it is needed: openpyxl would make every start of every process slower.
        from openpyxl import Workbook

        self._file = file
        self._book = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("Kameng")
        self._rows = 0
        self._open = True
        self.write([columns])

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows.

        Raises:
            InvalidInput: they are more than a sheet holds.
        """
        self._rows += len(rows)
        if self._rows > WIDEST_SHEET:
            self.close()
            raise InvalidInput(
                f"A sheet holds {WIDEST_SHEET - 1:,} rows, and these are more.",
                cure="Take CSV, or fewer of them.",
            )
        for row in rows:
            self._sheet.append([self._cell(value) for value in row])

    def finish(self) -> None:
        """Write the workbook."""
        self._book.save(self._file)
        self._open = False

    def close(self) -> None:
        """Let go of what was written, unless `finish` has; nothing can be written any more."""
        if self._open:
            self._open = False
            self._sheet.close()
            # What openpyxl has on the disk would stay there until the process ends.
            self._sheet._writer.cleanup()

    def _cell(self, value: Cell) -> object:
        from openpyxl.cell import WriteOnlyCell

        if not isinstance(value, str):
            return WriteOnlyCell(self._sheet, value)
        if not value:
            return None
        cell = WriteOnlyCell(self._sheet, None)
        cell.value = _UNSTORABLE.sub("\ufffd", value)
        # Otherwise `=1+1` would be a formula, and `#N/A` an error.
        cell.data_type = "s"
        return cell
