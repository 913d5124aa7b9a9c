"""Writing tables, row by row, with bounded memory: CSV in UTF-8 or GB18030, and XLSX.

The tables are those of `kameng.spreadsheets`, whose cells no spreadsheet takes for formulas. A CSV cell that begins like one
gets an apostrophe in front, and the row says so in its column ``quoted``, by which the importer takes it away again: a secret
``-12`` and one that is ``'-12`` stay what they are. Cells of a workbook have a type, so text stays text there.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from typing import BinaryIO, Protocol, cast

from kameng.spreadsheets import XLSX_TYPE, CsvTable, WorkbookTable, is_active
from kameng_catalog.importing.rows import QUOTED

_APOSTROPHES = re.compile("'+(?=[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20])")


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
    return f"'{text}" if is_active(text) or _APOSTROPHES.match(text) else text


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
        self._table = CsvTable(self._file, [*columns, QUOTED] if quoting else columns, encoding)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows."""
        self._table.write([self._marked(row) for row in rows])

    def _marked(self, row: Sequence[str]) -> list[str]:
        safe = [harmless(cell) for cell in row]
        if self._quoting:
            safe.append("1" if safe != list(row) else "")
        return safe

    def finish(self) -> BinaryIO:
        """The file."""
        self._table.finish()
        self._finished = True
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Let go of the file, unless `finish` gave it away."""
        if not self._finished:
            self._table.close()


class WorkbookWriter:
    """Writes an XLSX workbook with one sheet, whose cells are all text."""

    suffix = ".xlsx"
    media_type = XLSX_TYPE

    def __init__(self, columns: Sequence[str]) -> None:
        self._finished = False
        self._file = _nameless()
        self._table = WorkbookTable(self._file, columns)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows.

        Raises:
            InvalidInput: they are more than a sheet holds.
        """
        self._table.write(rows)

    def finish(self) -> BinaryIO:
        """The file."""
        self._table.finish()
        self._finished = True
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Let go of the file, unless `finish` gave it away."""
        if not self._finished:
            self._table.close()
            self._file.close()


def _nameless() -> BinaryIO:
    return cast("BinaryIO", tempfile.TemporaryFile(prefix="kameng-table-"))
