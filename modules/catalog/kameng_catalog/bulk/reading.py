"""Reading the file of a job: counted, so that people see how far it is, and cancelled between lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, BinaryIO

from kameng_catalog.importing.rows import Columns, Piece, Row, Sheet
from kameng_catalog.importing.sheets import read_sheet

if TYPE_CHECKING:
    from kameng.jobs import JobRun

_PIECE = 1 << 20
_OFTEN = 256
"""Lines between two looks at whether the job was cancelled."""


class CountedSheet:
    """A sheet whose rows are counted: as the progress of a dry run; else whoever writes them tells how far he is."""

    def __init__(self, sheet: Sheet, run: JobRun, lines: int) -> None:
        self.columns = sheet.columns
        self.encoding = sheet.encoding
        self.total = lines
        self._sheet = sheet
        self._run = run
        self._read = 0

    @property
    def done(self) -> int:
        """Rows that were read."""
        return self._read

    def rows(self) -> Iterator[Row]:
        """The rows; raises `JobCancelled` between two of them."""
        run = self._run
        for row in self._sheet.rows():
            self._read += 1
            if run.dry_run:
                run.done = self._read
            if self._read % _OFTEN == 0:
                run.check()
            yield row
        # Lines within cells and empty ones were counted before, since only reading tells them apart.
        run.total = self._read

    def pieces(self, size: int) -> Iterator[Piece]:
        """The rows in pieces, which are counted by whoever settles them; raises `JobCancelled` between two of them."""
        for piece in self._sheet.pieces(size):
            self._run.check()
            yield piece

    def close(self) -> None:
        """Close the file."""
        self._sheet.close()


@asynccontextmanager
async def sheet_of(run: JobRun, columns: Columns) -> AsyncIterator[CountedSheet]:
    """The file that a job was started with.

    Raises:
        NotFound: it is not kept any more.
        UnreadableFile: it is no table with these columns.
    """
    content, file = await run.open_input()
    lines = await asyncio.to_thread(_lines, content)
    encoding = run.input.get("encoding") or None
    sheet = await asyncio.to_thread(read_sheet, content, columns, name=file.name, encoding=encoding)
    with closing(sheet):
        # The lines of a text without its header; a workbook knows its rows.
        run.total = max(run.done, (sheet.total if file_is_workbook(sheet) else lines) - 1)
        yield CountedSheet(sheet, run, run.total)


def file_is_workbook(sheet: Sheet) -> bool:
    """Whether a sheet is one of a workbook, which counts in rows."""
    # Imported when it is needed: openpyxl would make every start of every process slower.
    import sys

    workbooks = sys.modules.get("kameng_catalog.importing.workbooks")
    return workbooks is not None and isinstance(sheet, workbooks.WorkbookSheet)


def _lines(content: BinaryIO) -> int:
    count, last = 0, b"\n"
    while piece := content.read(_PIECE):
        count += piece.count(b"\n")
        last = piece[-1:]
    content.seek(0)
    return count + (last != b"\n")
