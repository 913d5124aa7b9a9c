"""Where a bill's table begins and ends: its header among comments, its rows, and what stands behind them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from kameng_settlement.reconciliation.bills.layout import Layout
from kameng_settlement.reconciliation.bills.pieces import Piece, pieces_of
from kameng_settlement.reconciliation.faults import UnreadableBill, shown

HEADER_WITHIN = 60
"""Lines before the table, at most."""

LONGEST_FOOTER = 1 << 18
"""Bytes behind the table, at most."""

UNIT = b"\x1f"
"""Stands between the cells of bills with backticks, once they are taken away."""


@dataclass
class Table:
    """A table that is being read.

    Attributes:
        layout: how it is written.
        names: of its columns, made plain.
        footer: the lines behind it, from the one on that ends it; complete when `rows` has ended.
        footer_line: where they begin; 0: there are none.
        lines: lines of the file that were read.
    """

    layout: Layout
    names: list[str]
    _rest: Iterator[Piece]
    footer: list[str] = field(default_factory=list)
    footer_line: int = 0
    lines: int = 0

    @property
    def separator(self) -> str:
        """Between the cells of what `rows` gives."""
        return UNIT.decode() if self.layout.backticks else self.layout.separator

    def rows(self) -> Iterator[Piece]:
        """The table's rows, some at a time, cells apart by `separator`."""
        ends = self.layout.footer.encode()
        behind = bytearray()
        for piece in self._rest:
            text, line = piece.text, piece.line
            self.lines = line + text.count(b"\n") - 1
            if self.footer_line:
                behind += text
            elif ends and (place := _begins(text, ends)) >= 0:
                self.footer_line = line + text.count(b"\n", 0, place)
                behind += text[place:]
                text = text[:place]
            if len(behind) > LONGEST_FOOTER:
                raise UnreadableBill(
                    "too much stands behind the table.",
                    cure="Send the bill as the gateway gave it.",
                    line=self.footer_line,
                )
            body = text.rstrip(b"\r\n")
            if not self.footer_line or body:
                yield Piece(self._plain(body), line)
        self.footer = [line.strip() for line in behind.decode(errors="replace").splitlines()]

    def _plain(self, body: bytes) -> bytes:
        if not body:
            return b""
        if self.layout.backticks:
            body = body.replace(b",`", UNIT)
        return body + b"\n"


def open_table(file: BinaryIO, layout: Layout) -> Table:
    """Find the table's header.

    Raises:
        UnreadableBill: there is none; it tells which columns are missing.
    """
    pieces = pieces_of(file, layout.encoding, quoted=layout.quoted)
    first = next(pieces, None)
    if first is None:
        raise UnreadableBill("The file is empty.", cure="Download the bill again.")
    least: list[str] = list(layout.needed)
    start = 0
    for number in range(HEADER_WITHIN):
        end = first.text.find(b"\n", start) + 1
        if not end:
            break
        text = first.text[start:end].decode(errors="replace").strip()
        if text and not (layout.comment and text.startswith(layout.comment)):
            names = [plain_name(name) for name in next(csv.reader([text], delimiter=layout.separator))]
            missing = [name for name in layout.needed if plain_name(name) not in names]
            if not missing:
                _insist_once(names, layout, first.line + number)
                begin = Piece(first.text[end:], first.line + number + 1)
                return Table(layout, names, _chain(begin, pieces))
            least = min(least, missing, key=len)
        start = end
    raise UnreadableBill(
        f"The file is no {layout.title}: no line of its beginning names the column{'s' * (len(least) > 1)} "
        + ", ".join(least)
        + ".",
        cure="Check the format that you named, and that the file is as the gateway gave it.",
    )


def plain_name(name: str) -> str:
    """A column's name as it is compared: without marks, blanks and backticks, its brackets narrow."""
    return name.strip().strip("\ufeff`\t ").replace("（", "(").replace("）", ")")


def _insist_once(names: list[str], layout: Layout, line: int) -> None:
    for name in layout.needed:
        if names.count(plain_name(name)) > 1:
            raise UnreadableBill(
                f"the column {shown(name)} stands there twice.",
                cure="Send the bill as the gateway gave it.",
                line=line,
            )


def _chain(first: Piece, rest: Iterator[Piece]) -> Iterator[Piece]:
    yield first
    yield from rest


def _begins(text: bytes, mark: bytes) -> int:
    """Where a line begins with a mark; -1: none does."""
    if text.startswith(mark):
        return 0
    place = text.find(b"\n" + mark)
    return place + 1 if place >= 0 else -1


def cells_of(piece: Piece, separator: str, *, quoted: bool) -> Iterator[tuple[int, list[str]]]:
    """Rows one by one with the lines on which they end: slow, for finding what is wrong."""
    text = piece.text.decode(errors="replace")
    if not quoted:
        for number, line in enumerate(text.split("\n")[:-1]):
            yield piece.line + number, line.rstrip("\r").split(separator)
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for row in reader:
        yield piece.line + reader.line_num - 1, row
