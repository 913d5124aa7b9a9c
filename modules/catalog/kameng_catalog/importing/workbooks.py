"""Reading XLSX workbooks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from kameng_catalog.importing.faults import UnreadableFile
from kameng_catalog.importing.rows import (
    EXACT_DIGITS,
    Columns,
    LossyNumber,
    Piece,
    Quoting,
    Row,
    checked_header,
    pieces_of,
)

MOST_UNPACKED = 300_000_000
"""Bytes that a workbook may have when it is unpacked; its texts are held in memory while it is read."""


class WorkbookSheet:
    """The active sheet of a workbook, read as a stream."""

    def __init__(self, file: BinaryIO, columns: Columns) -> None:
        self._file = file
        with warnings.catch_warnings():
            # Styles and validations that it cannot read do not matter to us.
            warnings.simplefilter("ignore", UserWarning)
            try:
                check_unpacked(file)
                self._book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            except (InvalidFileException, BadZipFile, KeyError, ValueError, OSError) as error:
                raise UnreadableFile(
                    "The file is no workbook that can be read.", cure="Save it as .xlsx again, or as CSV."
                ) from error
        sheet = self._book.active
        if sheet is None or not hasattr(sheet, "iter_rows"):
            raise UnreadableFile(
                "The workbook's active sheet is no table.", cure="Open it at the table and save it."
            )
        self._sheet = sheet
        self.total = sheet.max_row or 0
        self._line = 0
        self._rows = self._read()
        self.encoding = "utf-8"
        header = checked_header(next(self._rows, None), columns)
        self._quoting, self._width = Quoting(header), len(header)
        self.columns = self._quoting.columns

    @property
    def done(self) -> int:
        """Rows that were read."""
        return self._line

    def rows(self) -> Iterator[Row]:
        """The rows below the header, each at least as wide as it."""
        width = self._width
        for row in self._rows:
            # A sheet has no end of line: what is empty at the right is not there.
            while len(row.cells) > width and not row.cells[-1]:
                row.cells.pop()
            row.cells.extend([""] * (width - len(row.cells)))
            yield self._quoting.plain(row)

    def pieces(self, size: int) -> Iterator[Piece]:
        """The rows in pieces."""
        return pieces_of(self.rows(), size)

    def close(self) -> None:
        """Close the workbook and its file."""
        self._book.close()
        self._file.close()

    def _read(self) -> Iterator[Row]:
        for line, values in enumerate(self._sheet.iter_rows(values_only=True), start=1):
            self._line = line
            cells = [cell_text(value) for value in values]
            if any(cells):
                yield Row(line, cells)


def check_unpacked(file: BinaryIO) -> None:
    """See how large a workbook is when it is unpacked; a small one can be made to hold a thousand times as much.

    Raises:
        UnreadableFile: larger than what is read.
        BadZipFile: it is none.
    """
    with ZipFile(file) as archive:
        # What it says of each part is true: reading stops there.
        unpacked = sum(part.file_size for part in archive.infolist())
    file.seek(0)
    if unpacked > MOST_UNPACKED:
        raise UnreadableFile(
            f"The workbook has {unpacked:,} bytes when it is unpacked; {MOST_UNPACKED:,} are read.",
            cure="Save its table as CSV.",
        )


def cell_text(value: object) -> str:
    """A cell's value as the text that a CSV file would have."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        text = f"{Decimal(format(value, f'.{EXACT_DIGITS}g')):f}"
        return LossyNumber(text) if abs(value) >= 10**EXACT_DIGITS else text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
