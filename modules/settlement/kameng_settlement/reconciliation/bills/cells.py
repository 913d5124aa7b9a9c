"""The cells of a table as polars expressions, and what must hold of them.

Amounts are read from their digits, never through a float. A cell that cannot be read leaves a check behind, by which the
reader finds its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from kameng.money import minor_decimals

WIDEST = 12
"""Digits that an amount may have before its decimals."""

FEW = 8
"""Values that are compared one by one faster than they are looked up."""

_OFFSETS = {"Asia/Shanghai": timedelta(hours=8), "UTC": timedelta(0)}
"""Zones whose clocks are never put forward (China's since 1992)."""


@dataclass(frozen=True)
class Check:
    """What must hold of a column.

    Attributes:
        column: its name in the file.
        holds: true for sound rows.
        what: what is wrong where it does not hold; ``{}`` stands for the cell.
        cure: what to do then.
    """

    column: str
    holds: pl.Expr
    what: str
    cure: str


class Cells:
    """The cells of a bill.

    Args:
        columns: names in the file → names in the frame.
        padded: whether cells have blanks around them.
        quick: read amounts only as most bills write them, with all their decimals; whatever else stands there is a fault.
            Who meets one reads the same rows again, at leisure.

    Attributes:
        checks: what must hold, in the order in which it was asked for.
        used: names in the frame of the columns that are read.
    """

    def __init__(self, columns: Mapping[str, str], *, padded: bool = True, quick: bool = False) -> None:
        self._columns = columns
        self._padded, self._quick = padded, quick
        self.checks: list[Check] = []
        self.used: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether the file has such a column."""
        return name in self._columns

    def column(self, name: str) -> str:
        """The name in the frame of a column of the file."""
        return self._columns[name]

    def text(self, name: str, *, needed: bool = False) -> pl.Expr:
        """A column's text without blanks around it; empty where there is none."""
        column = self._columns[name]
        self.used.add(column)
        text = pl.col(column).fill_null("").str.strip_chars() if self._padded else pl.col(column)
        if needed:
            self.expect(name, text != "", "there is nothing in this cell.", "Send the bill as it came.")
        return text

    def expect(self, name: str, holds: pl.Expr, what: str, cure: str) -> None:
        """Demand something of each row."""
        self.checks.append(Check(name, holds, what, cure))

    def one_of(self, name: str, values: Mapping[str, str], *, other: str | None = None) -> pl.Expr:
        """A column's values under their normal names.

        Args:
            name: the column.
            values: value in the file → normal name.
            other: the normal name of all others; None: others are a fault.
        """
        text = self.text(name)
        if len(values) > FEW:
            found = text.replace_strict(
                list(values), list(values.values()), default=None, return_dtype=pl.String
            )
        else:
            found = pl.lit(None, dtype=pl.String)
            for value, normal in values.items():
                found = pl.when(text == value).then(pl.lit(normal, dtype=pl.String)).otherwise(found)
        if other is not None:
            return found.fill_null(other)
        self.expect(
            name,
            found.is_not_null(),
            "{} is unknown here.",
            f"It should be one of: {', '.join(list(values)[:12])}. Tell the operator if the gateway has something new.",
        )
        return found

    def fine(self, name: str, decimals: int, *, sign: bool = True) -> pl.Expr:
        """An amount as a whole number of ``10 ** -decimals``; zero where the cell is empty."""
        text = self.text(name)
        if self._quick and decimals:
            value = text.str.replace(".", "", literal=True).cast(pl.Int64, strict=False)
            point = text.str.len_bytes() - text.str.find(".", literal=True)
            holds = (
                value.is_not_null() & (point == decimals + 1) & (text.str.len_bytes() <= WIDEST + decimals)
            )
            self.expect(name, holds if sign else holds & (value >= 0), "{}", "")
            return value
        minus = "-?" if sign else ""
        self.expect(
            name,
            (text == "") | text.str.contains(rf"^{minus}\d{{1,{WIDEST}}}(\.\d{{0,{decimals}}})?$"),
            f"{{}} is no amount with at most {decimals} decimals.",
            "Send the bill as the gateway gave it; spreadsheets change amounts when they save.",
        )
        parts = text.str.split_exact(".", 1)
        digits = parts.struct.field("field_0") + parts.struct.field("field_1").fill_null("").str.pad_end(
            decimals, "0"
        )
        return digits.cast(pl.Int64, strict=False).fill_null(0)

    def minor(self, name: str, currency: str) -> pl.Expr:
        """An amount in main units of a currency as its minor units."""
        return self.fine(name, minor_decimals(currency))

    def minor_by(self, name: str, currency: pl.Expr, known: Mapping[str, int]) -> pl.Expr:
        """An amount in main units as minor units of the row's own currency.

        Args:
            name: the column.
            currency: the row's currency.
            known: currency → its decimals; at most four.
        """
        fine = self.fine(name, 4)
        factor = currency.replace_strict(
            list(known), [10 ** (4 - each) for each in known.values()], default=1, return_dtype=pl.Int64
        )
        self.expect(
            name,
            fine % factor == 0,
            "{} has more decimals than its currency.",
            "Send the bill as the gateway gave it.",
        )
        return fine // factor

    def moment(self, name: str, pattern: str, zone: str) -> pl.Expr:
        """A time of a zone as UTC."""
        return self.moment_of(name, self.text(name), pattern, zone)

    def moment_of(self, name: str, text: pl.Expr, pattern: str, zone: str) -> pl.Expr:
        """As `moment`, of a text that was made of several columns; ``name`` is the one to blame."""
        local = text.str.to_datetime(pattern, strict=False, time_unit="us")
        if zone in _OFFSETS:
            there = (local - _OFFSETS[zone]).dt.replace_time_zone("UTC")
        else:
            there = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        self.expect(
            name,
            there.is_not_null(),
            "{} is no time.",
            f"It should look like {pattern}; spreadsheets change times when they save.",
        )
        return there.dt.convert_time_zone("UTC")


def rounded(fine: pl.Expr, finer: int) -> pl.Expr:
    """A number without its last digits, half away from zero, as gateways round fees."""
    unit: int = 10**finer
    return ((fine.abs() + unit // 2) // unit) * fine.sign()
