"""Reading CSV, in any encoding: row by row, and by columns where no cell is quoted."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate, chain, islice, repeat
from typing import BinaryIO

from kameng_catalog.importing.faults import Fault, UnreadableFile
from kameng_catalog.importing.rows import Columns, Piece, Quoting, Row, checked_header, pieces_of

_LINE_BREAK = re.compile("\r\n|\r|\n")


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
