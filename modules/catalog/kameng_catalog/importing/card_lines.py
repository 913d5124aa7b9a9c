"""The lines of a card file, checked one by one. No reason that is given here quotes a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from typing import Any

import msgspec

from kameng_catalog.importing import cells
from kameng_catalog.importing.faults import CellFault, Fault, Faults
from kameng_catalog.importing.rows import EXACT_DIGITS, Columns, LossyNumber, Piece, Row, misshapen

LONGEST_SECRET = 4_000
LONGEST_NUMBER = 100

_KNOWN = ("sku", "number", "secret", "expires_on")

COLUMNS = Columns(known=_KNOWN, required=frozenset({"sku", "secret"}))
"""The columns of a card file."""

COLUMNS_OF_ONE_VARIANT = Columns(known=_KNOWN, required=frozenset({"secret"}))
"""The columns of a card file whose variant is named beside it."""

_UNSEEN: Any = object()
"""Not even a day."""

# Control characters, and those that nobody sees: they come by copying, and a buyer could not type them.
_UNTYPABLE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2064\\ufeff\\ufffd]"
)


class CardLine(msgspec.Struct, frozen=True):
    """A sound line.

    Attributes:
        line: where it stands.
        sku: the variant's number; empty where the file does not name it.
        number: the card's public number; empty if it has none.
        secret: what is sold.
        expires_on: the last day on which it can be redeemed.
    """

    line: int
    sku: str
    number: str
    secret: str
    expires_on: date | None

    def __repr__(self) -> str:
        # Tracebacks show values.
        return f"CardLine(line={self.line}, sku={self.sku!r}, secret=***)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("line", self.line), ("sku", self.sku), ("secret", "***")]


@dataclass(frozen=True, slots=True)
class CardColumns:
    """Sound lines, column by column: what is done to all of them at once costs a fraction of what it costs line by line.

    Attributes:
        lines, skus, numbers, secrets, days: as `CardLine` has them; of one length.
    """

    lines: Sequence[int]
    skus: Sequence[str]
    numbers: Sequence[str] = field(repr=False)
    secrets: Sequence[str] = field(repr=False)
    days: Sequence[date | None]

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, wanted: Iterable[bool]) -> CardColumns:
        """Those lines for which it holds."""
        chosen = list(wanted)
        return CardColumns(
            lines=list(compress(self.lines, chosen)),
            skus=list(compress(self.skus, chosen)),
            numbers=list(compress(self.numbers, chosen)),
            secrets=list(compress(self.secrets, chosen)),
            days=list(compress(self.days, chosen)),
        )


class CardLines:
    """Checks the lines of a card file.

    Args:
        columns: those that the file has.
        faults: takes what is wrong.
        today: a card whose last day has passed cannot be sold.
        sku: the variant that all cards belong to, if it is named beside the file.
    """

    def __init__(self, columns: Sequence[str], faults: Faults, today: date, sku: str = "") -> None:
        self._columns = columns
        self._faults = faults
        self._today = today
        self._sku = sku
        self._places = {name: columns.index(name) for name in columns}
        self._width = len(columns)
        self._secret = columns.index("secret")
        # A column that is not there is an empty cell behind the others.
        self._number, self._expiry, self._named = (
            self._places.get(name, self._width) for name in ("number", "expires_on", "sku")
        )
        self._days: dict[str, date | None] = {"": None}

    def read_piece(self, piece: Piece) -> CardColumns:
        """The sound lines of a piece."""
        return self._plain_columns(piece) or self._line_by_line(piece)

    def read(self, row: Row) -> CardLine | None:
        """The line, if it is sound."""
        return self._plain(row) or self._checked(row)

    def _plain_columns(self, piece: Piece) -> CardColumns | None:
        """All lines of a piece, where all of them are plain as `_plain` has it; None for a piece to look at more closely."""
        if piece.columns is None:
            return None
        cells = [*map(_stripped, piece.columns), [""] * len(piece)]
        secrets, numbers, skus = cells[self._secret], cells[self._number], cells[self._named]
        try:
            days = {text: self._day(text) for text in set(cells[self._expiry])}
        except CellFault:
            return None
        named = set(skus)
        if self._sku:
            skus = [self._sku] * len(skus)
        if (
            _all_plain(secrets, 1, LONGEST_SECRET)
            and _all_plain(numbers, 0, LONGEST_NUMBER)
            and (named <= {"", self._sku} if self._sku else "" not in named)
        ):
            return CardColumns(
                piece.lines, skus, numbers, secrets, [days[text] for text in cells[self._expiry]]
            )
        return None

    def _line_by_line(self, piece: Piece) -> CardColumns:
        sound = [line for row in piece.each() if (line := self.read(row)) is not None]
        return CardColumns(
            [line.line for line in sound],
            [line.sku for line in sound],
            [line.number for line in sound],
            [line.secret for line in sound],
            [line.expires_on for line in sound],
        )

    def _plain(self, row: Row) -> CardLine | None:
        """A line of plain characters in the expected form, as nearly all are; None for one to look at more closely."""
        if len(row.cells) != self._width:
            return None
        cells = [*row.cells, ""]
        secret, number, sku = cells[self._secret], cells[self._number], cells[self._named]
        day = self._days.get(cells[self._expiry], _UNSEEN)
        if (
            day is not _UNSEEN
            # One that a spreadsheet has spoiled is of a class of its own.
            and type(secret) is str
            and type(number) is str
            and 0 < len(secret) <= LONGEST_SECRET
            and len(number) <= LONGEST_NUMBER
            and secret.isascii()
            and secret.isprintable()
            and number.isascii()
            and number.isprintable()
            and (sku == self._sku or not sku or not self._sku)
            and (sku or self._sku)
        ):
            return CardLine(row.line, sku or self._sku, number, secret, day)
        return None

    def _checked(self, row: Row) -> CardLine | None:
        if fault := misshapen(row, self._columns):
            self._faults.add(fault)
            return None
        texts = {name: row.cells[place] for name, place in self._places.items()}
        faults: list[Fault] = []
        for column, check in _CHECKS.items():
            try:
                if column in texts:
                    check(texts[column])
            except CellFault as fault:
                faults.append(Fault(row.line, column, str(fault)))
        try:
            day = self._day(texts.get("expires_on", ""))
        except CellFault as fault:
            faults.append(Fault(row.line, "expires_on", str(fault)))
        faults += self._sku_faults(row.line, texts.get("sku", ""))
        if faults:
            self._faults.add(*faults)
            return None
        return CardLine(
            row.line, texts.get("sku") or self._sku, texts.get("number", ""), texts["secret"], day
        )

    def _sku_faults(self, line: int, sku: str) -> list[Fault]:
        if not sku and not self._sku:
            return [Fault(line, "sku", "is missing")]
        if sku and self._sku and sku != self._sku:
            return [Fault(line, "sku", f"is {cells.quoted(sku)}, not {cells.quoted(self._sku)}")]
        return []

    def _day(self, text: str) -> date | None:
        # Few days stand in a file, many times each.
        if text not in self._days:
            day = cells.day(text)
            if day is not None and day < self._today:
                raise CellFault(f"{cells.quoted(text)} has passed")
            self._days[text] = day
        return self._days[text]


def _stripped(texts: Sequence[str]) -> Sequence[str]:
    # Other signs that would be stripped are not plain, so that the lines are looked at one by one.
    return list(map(str.strip, texts)) if " " in "".join(texts) else texts


def _all_plain(texts: Sequence[str], shortest: int, longest: int) -> bool:
    """Whether all texts are of plain characters and neither too short nor too long."""
    lengths = set(map(len, texts))
    together = "".join(texts)
    return (
        shortest <= min(lengths) and max(lengths) <= longest and together.isascii() and together.isprintable()
    )


def _check_secret(text: str) -> None:
    _check(cells.given(text), LONGEST_SECRET)


def _check_number(text: str) -> None:
    _check(text, LONGEST_NUMBER)


def _check(text: str, longest: int) -> None:
    if len(text) > longest:
        raise CellFault(f"is too long: {len(text)} characters, at most {longest}")
    if bad := _UNTYPABLE.search(text):
        kind = "control" if bad.group() < " " or "\x7f" <= bad.group() <= "\x9f" else "invisible"
        raise CellFault(f"holds the {kind} character U+{ord(bad.group()):04X}")
    if isinstance(text, LossyNumber):
        raise CellFault(
            f"is a number cell with more than {EXACT_DIGITS} digits, of which the spreadsheet has lost some;"
            " format the column as text and enter it again"
        )


_CHECKS = {"secret": _check_secret, "number": _check_number}
