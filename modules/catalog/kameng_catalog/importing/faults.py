"""What is wrong with a file, by line and column."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kameng.errors import InvalidInput

LISTED = 10_000
"""Faults of a file that are kept one by one; the rest is only counted."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong. It never holds a secret.

    Attributes:
        line: the line of the file or the row of the sheet; the header is 1.
        column: the column's name; empty if the whole line is meant.
        reason: what is wrong, in words that follow on the column's name or stand alone.
    """

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return (
            f"line {self.line}, {self.column}: {self.reason}"
            if self.column
            else f"line {self.line}: {self.reason}"
        )


@dataclass(slots=True)
class Faults:
    """The faults of a file as they are found.

    Attributes:
        listed: the first of them, as they were found.
        count: how many there are.
        lines: how many lines are unusable.
    """

    listed: list[Fault] = field(default_factory=list)
    count: int = 0
    lines: int = 0

    def add(self, *faults: Fault) -> None:
        """Note what is wrong with one line."""
        if faults:
            self.lines += 1
            self.count += len(faults)
            self.listed.extend(faults[: max(0, LISTED - len(self.listed))])

    def count_more(self, lines: int) -> None:
        """Count lines with one fault each that are too many to be listed."""
        self.lines += lines
        self.count += lines

    def in_order(self) -> tuple[Fault, ...]:
        """The faults by line."""
        return tuple(sorted(self.listed))


class UnreadableFile(InvalidInput):
    """The file is no table that we can read, or lacks a column.

    Attributes:
        faults: what is wrong with its first line, if that is it.
    """

    def __init__(self, message: str, *, cure: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, cure=cure)
        self.faults = tuple(faults)


class CellFault(ValueError):
    """What is wrong with a cell."""


def write_faults(path: Path, faults: Sequence[Fault]) -> None:
    """Write faults as CSV, with a byte order mark, so that spreadsheets show Chinese as it is."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "column", "reason"])
        writer.writerows([fault.line, fault.column, fault.reason] for fault in faults)
