"""Reading tables, row by row: CSV in UTF-8 or GB18030, and XLSX."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, chain, islice, repeat
from pathlib import Path
from typing import BinaryIO, Protocol

from kameng_catalog.importing.encodings import encoding_of
from kameng_catalog.importing.faults import Fault, UnreadableFile

EXACT_DIGITS = 15
"""Digits of a number that a spreadsheet keeps; it silently replaces further ones by zeros."""


QUOTED = "quoted"
"""A column that any file may have. Where it says ``1``, cells that begin with an apostrophe and then a sign of formulas have
that apostrophe only to be harmless in spreadsheets, see `kameng_catalog.exporting.writers`.
"""

_LINE_BREAK = re.compile("\r\n|\r|\n")
_APOSTROPHE = re.compile("'+[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")


class LossyNumber(str):
    """The text of a number cell that has more digits than the spreadsheet could keep."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a kind of file.

    Attributes:
        known: all names.
        required: those that the file must have.
    """

    known: tuple[str, ...]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet.

    Attributes:
        line: the line on which it begins.
        cells: its texts, without spaces at their ends; not shown in tracebacks, since they may be secrets.
    """

    line: int
    cells: list[str] = field(repr=False)


class Piece:
    """Rows of a sheet that stand one behind the other.

    Args:
        lines: the line on which each begins.
        rows: the cells of each.
        raw: whether they are as they stand in a text: with the spaces at their ends, and with empty rows among them.
        columns: the same cells column by column, where all rows are of one width and it cost nothing to find out.
    """

    __slots__ = ("_rows", "columns", "lines", "raw")

    def __init__(
        self,
        lines: Sequence[int],
        rows: Callable[[], list[list[str]]],
        *,
        raw: bool = False,
        columns: Sequence[Sequence[str]] | None = None,
    ) -> None:
        self.lines = lines
        self.raw = raw
        self.columns = columns
        self._rows = rows

    def __len__(self) -> int:
        return len(self.lines)

    def each(self) -> Iterator[Row]:
        """The rows as `Sheet.rows` gives them."""
        for line, cells in zip(self.lines, self._rows(), strict=True):
            if not self.raw:
                yield Row(line, cells)
            elif any(cells):
                yield Row(line, [cell.strip() for cell in cells])


class Sheet(Protocol):
    """A table that is being read.

    Attributes:
        columns: the names in its header, in its order, without `QUOTED`.
        encoding: of its text; ``utf-8`` for a workbook.
        total, done: how much there is to read and how much was read, in units of its own; ``total`` may be 0.
    """

    columns: tuple[str, ...]
    encoding: str
    total: int

    @property
    def done(self) -> int:
        """How much was read."""
        ...

    def rows(self) -> Iterator[Row]:
        """Its rows, once; empty lines are passed over.

        Raises:
            UnreadableFile: from some line on it is no table any more.
        """
        ...

    def pieces(self, size: int) -> Iterator[Piece]:
        """The rows in pieces of at most that many, instead of `rows`: faster, where it is a text.

        Raises:
            UnreadableFile: as `rows`.
        """
        ...

    def close(self) -> None:
        """Let the file go."""
        ...


def open_sheet(path: Path, columns: Columns, *, encoding: str | None = None) -> Sheet:
    """Open a file, whose kind is told by its content, not by its name.

    Raises:
        UnreadableFile: there is no such file, or it is no table with these columns.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror or error}.", cure="Check the path."
        ) from error
    return read_sheet(file, columns, name=path.name, encoding=encoding)


def read_sheet(
    file: BinaryIO, columns: Columns, *, name: str = "The file", encoding: str | None = None
) -> Sheet:
    """A sheet of an open file, which can be read from any place; the sheet closes it, and so does a refusal.

    Args:
        file: the file, whose kind is told by its content.
        columns: those of such a file.
        name: what to call it in messages.
        encoding: the encoding of its text; None finds out.

    Raises:
        UnreadableFile: it is no table with these columns.
    """
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        start = file.read(8)
        file.seek(0)
        if start.startswith(b"PK\x03\x04"):
            # Imported when it is needed: openpyxl would make every start of every process slower.
            from kameng_catalog.importing.workbooks import WorkbookSheet

            return WorkbookSheet(file, columns)
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            raise UnreadableFile(
                f"{name} is a workbook in the old format .xls.", cure="Save it as .xlsx or as CSV."
            )
        return CsvSheet(file, columns, encoding_of(file, encoding), total=size)
    except BaseException:
        file.close()
        raise


def text_sheet(text: str, columns: Columns) -> Sheet:
    """A sheet of CSV text.

    Raises:
        UnreadableFile: it is no table with these columns.
    """
    data = text.encode()
    return CsvSheet(io.BytesIO(data), columns, "utf-8-sig", total=len(data))


class CsvSheet:
    """A CSV file, with a header; commas, semicolons or tabs part the cells."""

    def __init__(self, file: BinaryIO, columns: Columns, encoding: str, *, total: int) -> None:
        self.total = total
        self.encoding = encoding
        self._file = file
        self._text = io.TextIOWrapper(file, encoding=encoding, newline="")
        first = self._text.readline()
        self._text.seek(0)
        self._delimiter = max(",;\t", key=first.count)
        self._reader = csv.reader(self._text, delimiter=self._delimiter, strict=True)
        self._rows = self._read()
        self._quoting = Quoting(checked_header(next(self._rows, None), columns))
        self.columns = self._quoting.columns

    @property
    def done(self) -> int:
        """Bytes that were read."""
        return self._file.tell()

    def rows(self) -> Iterator[Row]:
        """The rows below the header."""
        return self._rows if self._quoting.place is None else map(self._quoting.plain, self._rows)

    def pieces(self, size: int) -> Iterator[Piece]:
        """The rows in pieces, as they stand in the file."""
        if self._quoting.place is not None:
            yield from pieces_of(self.rows(), size)
            return
        line = self._reader.line_num + 1
        while lines := self._next_lines(line, size):
            text = "".join(lines)
            if '"' in text:
                # From here on cells may have delimiters and line breaks of their own.
                yield from self._quoted_pieces(chain(lines, self._text), line, size)
                return
            yield unquoted_piece(line, lines, text, self._delimiter, len(self.columns))
            line += len(lines)

    def _next_lines(self, line: int, size: int) -> list[str]:
        try:
            return list(islice(self._text, size))
        except UnicodeDecodeError as error:
            raise _unreadable(line, error) from error

    def _quoted_pieces(self, text: Iterator[str], line: int, size: int) -> Iterator[Piece]:
        reader = csv.reader(text, delimiter=self._delimiter, strict=True)
        while True:
            first, rows = line + reader.line_num, list[list[str]]()
            try:
                # What was read before an error stays in the list.
                rows.extend(islice(reader, size))
            except (csv.Error, UnicodeDecodeError) as error:
                raise _unreadable(first + sum(map(_lines_of, rows)), error) from error
            if not rows:
                return
            lines = list(accumulate(map(_lines_of, rows[:-1]), initial=first))
            yield Piece(lines, partial(list, rows), raw=True)

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def _read(self) -> Iterator[Row]:
        reader, line = self._reader, 1
        try:
            for cells in reader:
                if any(cells):
                    yield Row(line, [cell.strip() for cell in cells])
                line = reader.line_num + 1
        except (csv.Error, UnicodeDecodeError) as error:
            raise _unreadable(line, error) from error


def pieces_of(rows: Iterator[Row], size: int) -> Iterator[Piece]:
    """Pieces of rows that come one by one."""
    while some := list(islice(rows, size)):
        yield Piece([row.line for row in some], partial(_cells, some))


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    return [row.cells for row in rows]


def unquoted_piece(first: int, lines: Sequence[str], text: str, delimiter: str, width: int) -> Piece:
    """A piece of a text without quotation marks, which is split without a list for each row.

    Args:
        first: the line on which it begins.
        lines: its lines with their ends.
        text: all of them.
        delimiter: what parts their cells.
        width: the columns of the sheet.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.removesuffix("\n")
    columns = None
    if set(map(str.count, lines, repeat(delimiter))) == {width - 1}:
        cells = text.replace("\n", delimiter).split(delimiter) if width > 1 else text.split("\n")
        columns = [cells[place::width] for place in range(width)]

    def rows() -> list[list[str]]:
        # As a reader of CSV has it, an empty line is no cell at all.
        return [line.split(delimiter) if line else [] for line in text.split("\n")]

    return Piece(range(first, first + len(lines)), rows, raw=True, columns=columns)


def _lines_of(cells: Sequence[str]) -> int:
    return 1 + sum(len(_LINE_BREAK.findall(cell)) for cell in cells)


def _unreadable(line: int, error: csv.Error | UnicodeDecodeError) -> UnreadableFile:
    if isinstance(error, UnicodeDecodeError):
        return UnreadableFile(
            f"The file's text does not fit its encoding near line {line}.",
            cure="Leave the encoding out to have it found.",
        )
    return UnreadableFile(
        f"The file is no CSV from line {line} on: {error}.",
        cure="Check the quotation marks of that line: one inside a quoted cell is written twice.",
        faults=[Fault(line, "", f"is no CSV: {error}")],
    )


class Quoting:
    """Takes the column `QUOTED` out of rows, and the apostrophes that it speaks of.

    Attributes:
        columns: the header without it.
        place: where it stands; None for a file that has none.
    """

    def __init__(self, header: tuple[str, ...]) -> None:
        self.columns = tuple(name for name in header if name != QUOTED)
        self.place = header.index(QUOTED) if QUOTED in header else None
        self._width = len(header)

    def plain(self, row: Row) -> Row:
        """The row as it was before it was written."""
        place, cells = self.place, row.cells
        if place is None or len(cells) < place + 1:
            # A line that somebody added may end before a column that stands last.
            return row
        quoted = cells.pop(place) == "1"
        if quoted:
            cells[:] = [cell[1:] if _APOSTROPHE.match(cell) else cell for cell in cells]
        return row


def checked_header(header: Row | None, columns: Columns) -> tuple[str, ...]:
    """The names of the columns, as the first row gives them.

    Raises:
        UnreadableFile: there is none, or a name is unknown, doubled or missing.
    """
    if header is None:
        raise UnreadableFile("The file is empty.", cure="Its first line names the columns.")
    names = [name.lower() for name in header.cells]
    while names and not names[-1]:
        names.pop()
    faults = _header_faults(header.line, names, columns)
    if faults:
        raise UnreadableFile(
            f"The file's header does not fit: {'; '.join(str(fault) for fault in faults)}.",
            cure=f"The columns are: {', '.join(columns.known)}.",
            faults=faults,
        )
    return tuple(names)


def _header_faults(line: int, names: Sequence[str], columns: Columns) -> list[Fault]:
    faults = [
        Fault(line, name, "is no column of such a file" if name else "a column has no name")
        for name in names
        if name not in (*columns.known, QUOTED)
    ]
    faults += [
        Fault(line, name, "stands there twice") for name in (*columns.known, QUOTED) if names.count(name) > 1
    ]
    faults += [
        Fault(line, name, "is missing") for name in columns.known if name in columns.required - set(names)
    ]
    return faults


def misshapen(row: Row, columns: Sequence[str]) -> Fault | None:
    """What is wrong with the number of a row's cells, if anything."""
    if len(row.cells) == len(columns):
        return None
    return Fault(row.line, "", f"{len(row.cells)} columns instead of {len(columns)}")
