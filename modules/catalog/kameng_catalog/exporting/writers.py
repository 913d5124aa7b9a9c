"""Writing tables, row by row, with bounded memory: CSV in UTF-8 or GB18030, and XLSX.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and a formula can read files and ask
servers. A CSV cell that begins so gets an apostrophe in front, and the row says so in its column ``quoted``, by which the
importer takes it away again: a secret ``-12`` and one that is ``'-12`` stay what they are. Cells of a workbook have a type,
so text stays text there.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from typing import BinaryIO, Protocol, cast

from kameng.errors import InvalidInput
from kameng_catalog.importing.rows import QUOTED

WIDEST_SHEET = 1_048_576
"""Rows of a sheet, the header included; no spreadsheet reads more."""

_ACTIVE = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_APOSTROPHES = re.compile("'+(?=[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20])")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class TableFormat(StrEnum):
    """The kinds of files that are written."""

    CSV = "csv"
    CSV_GB18030 = "csv-gb18030"
    XLSX = "xlsx"


class TableWriter(Protocol):
    """A table that is being written.

    Attributes:
        suffix: of the file's name, such as ``.csv``.
        media_type: of its content.
    """

    suffix: str
    media_type: str

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows; their cells are texts. It may block."""
        ...

    def finish(self) -> BinaryIO:
        """The whole file at its start, nameless on this machine's disk; close it when done."""
        ...

    def close(self) -> None:
        """Let go of what was written; does nothing after `finish`."""
        ...


def open_writer(kind: TableFormat, columns: Sequence[str]) -> TableWriter:
    """A writer of a table with these columns."""
    if kind is TableFormat.XLSX:
        return WorkbookWriter(columns)
    return CsvWriter(columns, "gb18030" if kind is TableFormat.CSV_GB18030 else "utf-8-sig")


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if _ACTIVE.match(text) or _APOSTROPHES.match(text) else text


class CsvWriter:
    """Writes CSV.

    Args:
        columns: the header.
        encoding: ``utf-8-sig``, whose mark tells spreadsheets the encoding, or ``gb18030``.
        quoting: whether a column ``quoted`` tells which rows have cells with an apostrophe in front; files that nobody
            imports need none.
    """

    suffix = ".csv"

    def __init__(self, columns: Sequence[str], encoding: str, *, quoting: bool = True) -> None:
        self.media_type = f"text/csv; charset={'gb18030' if encoding == 'gb18030' else 'utf-8'}"
        self._quoting = quoting
        self._finished = False
        self._file = _nameless()
        self._text = io.TextIOWrapper(self._file, encoding=encoding, errors="replace", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow([*columns, QUOTED] if quoting else columns)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows."""
        for row in rows:
            safe = [harmless(cell) for cell in row]
            if self._quoting:
                safe.append("1" if safe != list(row) else "")
            self._writer.writerow(safe)

    def finish(self) -> BinaryIO:
        """The file."""
        self._text.detach()
        self._finished = True
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Let go of the file, unless `finish` gave it away."""
        if not self._finished:
            self._text.close()


class WorkbookWriter:
    """Writes an XLSX workbook with one sheet, whose cells are all text."""

    suffix = ".xlsx"
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def __init__(self, columns: Sequence[str]) -> None:
        # Imported when it is needed: openpyxl would make every start of every process slower.
        from openpyxl import Workbook

        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet("Kameng")
        self._rows = 0
        self.write([columns])

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows.

        Raises:
            InvalidInput: they are more than a sheet holds.
        """
        from openpyxl.cell import WriteOnlyCell

        self._rows += len(rows)
        if self._rows > WIDEST_SHEET:
            raise InvalidInput(
                f"A sheet holds {WIDEST_SHEET - 1:,} rows, and these are more.",
                cure="Take CSV, or fewer of them.",
            )
        for row in rows:
            cells: list[object] = []
            for text in row:
                cell = WriteOnlyCell(self._sheet, None)
                cell.value = _UNSTORABLE.sub("\ufffd", text)
                # Otherwise `=1+1` would be a formula, and `#N/A` an error.
                cell.data_type = "s"
                cells.append(cell if text else None)
            self._sheet.append(cells)

    def finish(self) -> BinaryIO:
        """The file."""
        file = _nameless()
        self._book.save(file)
        file.seek(0)
        return file

    def close(self) -> None:
        """Nothing that would outlive this object."""


def _nameless() -> BinaryIO:
    return cast("BinaryIO", tempfile.TemporaryFile(prefix="kameng-table-"))
