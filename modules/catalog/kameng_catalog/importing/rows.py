"""Tables as they are read, whatever they are read from: columns, rows, pieces, headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Protocol

from kameng_catalog.importing.faults import Fault, UnreadableFile

EXACT_DIGITS = 15
"""Digits of a number that a spreadsheet keeps; it silently replaces further ones by zeros."""


QUOTED = "quoted"
"""A column that any file may have. Where it says ``1``, cells that begin with an apostrophe and then a sign of formulas have
that apostrophe only to be harmless in spreadsheets, see `kameng_catalog.exporting.writers`.
"""


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


def pieces_of(rows: Iterator[Row], size: int) -> Iterator[Piece]:
    """Pieces of rows that come one by one."""
    while some := list(islice(rows, size)):
        yield Piece([row.line for row in some], partial(_cells, some))


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    return [row.cells for row in rows]


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
