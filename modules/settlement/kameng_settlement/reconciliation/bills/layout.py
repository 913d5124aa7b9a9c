"""What a format of bills looks like, and what reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from kameng_settlement.reconciliation.bills.cells import Cells
from kameng_settlement.reconciliation.normal import BillKind


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a bill is written.

    Attributes:
        name: of the format, such as ``wechat-trade``.
        title: for people.
        kind: what it lists.
        needed: columns without which it is no such bill.
        zone: the time zone of its day.
        encoding: a codec's name.
        separator: between cells.
        quoted: whether cells may stand in quotation marks.
        backticks: whether a backtick stands before each cell, so that cells may hold separators.
        padded: whether cells may have blanks around them.
        comment: what lines begin with that are no part of the table; empty: there are none.
        footer: what the first line behind the table begins with; empty: the table ends with the file.
        member: what the name of the bill ends with inside an archive.
        beside: what the name of another file in the same archive holds.
    """

    name: str
    title: str
    kind: BillKind
    needed: tuple[str, ...]
    zone: str
    encoding: str = "utf-8"
    separator: str = ","
    quoted: bool = False
    backticks: bool = False
    padded: bool = True
    comment: str = ""
    footer: str = ""
    member: str = ".csv"
    beside: str = "\0"

    def is_member(self, name: str) -> bool:
        """Whether a file of an archive is the bill."""
        return name.lower().endswith(self.member) and self.beside not in name


@dataclass(frozen=True)
class Control:
    """A total that the bill states.

    Attributes:
        name: as the bill calls it; `BillFormat.sums` knows it too.
        stated: in the units of the sum.
        line: where it stands.
        text: as it stands there.
        decimals: of both: they are whole numbers of ``10 ** -decimals``.
    """

    name: str
    stated: int
    line: int
    text: str
    decimals: int = 0


class BillFormat(Protocol):
    """Reads one format."""

    @property
    def layout(self) -> Layout:
        """How it is written."""
        ...

    def normal(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """The normal form's columns but ``line``."""
        ...

    def sums(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """What to add up row by row in order to compare it with the controls."""
        ...

    def controls(self, footer: Sequence[str], line: int) -> Sequence[Control]:
        """The totals that the bill states.

        Args:
            footer: the lines behind the table, from the one on that ends it.
            line: where they begin.

        Raises:
            UnreadableBill: they are not there, or not to be read.
        """
        ...
