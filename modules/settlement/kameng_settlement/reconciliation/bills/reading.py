"""Reading a bill: its rows in the normal form, some thousands at a time, and the proof that it is whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import BinaryIO, NoReturn
from zoneinfo import ZoneInfo

import polars as pl

from kameng_settlement.reconciliation.bills.cells import Cells, Check
from kameng_settlement.reconciliation.bills.layout import BillFormat
from kameng_settlement.reconciliation.bills.pieces import Piece
from kameng_settlement.reconciliation.bills.table import Table, cells_of, open_table
from kameng_settlement.reconciliation.faults import (
    BillOfAnotherDay,
    BillTotalsDiffer,
    UnreadableBill,
    shown,
)
from kameng_settlement.reconciliation.normal import COLUMNS, RowKind, RowStatus, Totals

LONGEST_NUMBER = 200
"""Characters of our numbers and the gateway's."""

_AS_IT_CAME = "Send the bill as the gateway gave it."


@dataclass
class _Reading:
    """What a format makes of a table's cells.

    Attributes:
        cells: with what must hold of them.
        normal: the normal form's columns.
        sums: what is added up.
        quick: whether a fault only means that the rows are to be read again.
    """

    cells: Cells
    normal: dict[str, pl.Expr]
    sums: dict[str, pl.Expr]
    quick: bool

    @classmethod
    def of(cls, form: BillFormat, table: Table, *, quick: bool) -> _Reading:
        columns = {name: f"c{place}" for place, name in enumerate(table.names)}
        cells = Cells(columns, padded=form.layout.padded, quick=quick)
        return cls(cells, dict(form.normal(cells)), dict(form.sums(cells)), quick)

    def read(self, piece: Piece, table: Table) -> pl.DataFrame | None:
        """The normal form with the sums beside it; None where it has to be read at leisure."""
        raw = _raw(piece, table, self.cells)
        holds = [_held(check, f"ok{place}") for place, check in enumerate(self.cells.checks)]
        frame = (
            raw.lazy()
            .select(
                *(self.normal[name].alias(name) for name in COLUMNS[1:]),
                *(value.alias(f"sum:{name}") for name, value in self.sums.items()),
                pl.all_horizontal(holds).alias("ok") if holds else pl.lit(True).alias("ok"),
            )
            .collect()
        )
        sound = frame.get_column("ok").all()
        if not sound and self.quick:
            return None
        lines = _lines(piece, table, frame.height)
        if not sound:
            self._raise_first(raw, lines)
        return frame.with_columns(lines.alias("line"))

    def _raise_first(self, raw: pl.DataFrame, lines: pl.Series) -> NoReturn:
        """Find the first row that a check does not hold of, and tell of the first such check."""
        checks = self.cells.checks
        found = raw.select(_held(check, str(place)) for place, check in enumerate(checks))
        row = int(found.select(pl.all_horizontal(pl.all()).not_()).to_series().arg_true()[0])
        check = checks[found.row(row).index(False)]
        cell = raw.get_column(self.cells.column(check.column))[row] or ""
        raise UnreadableBill(
            check.what.replace("{}", shown(cell.strip())),
            cure=check.cure,
            line=int(lines[row]),
            column=check.column,
        )


@dataclass
class BillReader:
    """Reads one bill, once.

    Args:
        file: the bill itself, at its start, unpacked.
        format: what reads it.
        day: of the bill, in the zone of its format; None: that of its first row.

    Attributes:
        day: as given, or found.
        rows: how many were read.
        totals: by currency; complete when `frames` has ended.
    """

    file: BinaryIO
    format: BillFormat
    day: date | None = None
    rows: int = 0
    totals: dict[str, Totals] = field(default_factory=dict)

    def frames(self) -> Iterator[pl.DataFrame]:
        """The rows; the last one is not given before the bill's totals were found to be right.

        Raises:
            UnreadableBill: the first fault, with line, column and cure.
            BillTotalsDiffer: the rows do not add up to what the bill states, or it states nothing where it should.
            BillOfAnotherDay: a row is not of the bill's day.
        """
        table = open_table(self.file, self.format.layout)
        quick, slow = (_Reading.of(self.format, table, quick=quick) for quick in (True, False))
        added = dict.fromkeys(slow.sums, 0)
        held: pl.DataFrame | None = None
        for piece in table.rows():
            if not piece.text:
                continue
            made = quick.read(piece, table)
            if made is None:
                made = slow.read(piece, table)
            assert made is not None  # noqa: S101 - who reads at leisure raises instead
            frame = made.select(COLUMNS)
            self._check_day(frame)
            _insist_short(frame)
            for name in added:
                added[name] += int(made.get_column(f"sum:{name}").sum())
            self._count(frame)
            if held is not None:
                yield held
            held = frame
        self._verify(table, added)
        if held is not None:
            yield held

    def _check_day(self, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        zone = ZoneInfo(self.format.layout.zone)
        times = frame.get_column("at")
        if self.day is None:
            first: datetime = times[0]
            self.day = first.astimezone(zone).date()
        start, end = day_bounds(self.day, self.format.layout.zone)
        outside = (times < start) | (times >= end)
        if outside.any():
            row = int(outside.arg_true()[0])
            wrong: datetime = times[row]
            raise BillOfAnotherDay(
                f"the row is of {wrong.astimezone(zone):%Y-%m-%d %H:%M:%S}, and the bill of {self.day}.",
                cure="Name the day that the bill is of; a bill holds one day.",
                line=int(frame.get_column("line")[row]),
            )

    def _count(self, frame: pl.DataFrame) -> None:
        self.rows += frame.height
        for currency, totals in totals_of(frame).items():
            self.totals[currency] = self.totals.get(currency, Totals()) + totals

    def _verify(self, table: Table, added: dict[str, int]) -> None:
        layout = self.format.layout
        if not layout.footer:
            return
        if not table.footer_line:
            if not added:
                return
            raise BillTotalsDiffer(
                f"the file ends without the totals that a {layout.title} has.",
                cure="Download it again; it was cut off.",
                line=table.lines,
            )
        for control in self.format.controls(table.footer, table.footer_line):
            if control.stated != added[control.name]:
                raise BillTotalsDiffer(
                    f"the bill states {control.text}, and its rows come to {_written(added[control.name], control.decimals)}.",
                    cure="Download it again; rows are missing or were changed.",
                    line=control.line,
                    column=control.name,
                )


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """When a day begins and ends in a zone, UTC."""
    place = ZoneInfo(zone)
    start = datetime(day.year, day.month, day.day, tzinfo=place)
    after = day + timedelta(days=1)
    return start.astimezone(UTC), datetime(after.year, after.month, after.day, tzinfo=place).astimezone(UTC)


def totals_of(frame: pl.DataFrame) -> dict[str, Totals]:
    """What rows in the normal form add up to, by currency."""
    done = pl.col("status") == RowStatus.DONE.value
    amount = pl.col("amount")

    def of(kind: RowKind) -> pl.Expr:
        return amount.filter(done & (pl.col("kind") == kind.value)).sum()

    traded = pl.col("kind").is_in([RowKind.PAYMENT.value, RowKind.REFUND.value])
    added = frame.group_by("currency").agg(
        pl.len().alias("rows"),
        of(RowKind.PAYMENT).alias("payments"),
        of(RowKind.REFUND).alias("refunds"),
        pl.col("fee").filter(done & traded).sum().alias("fees"),
        amount.filter(~traded).sum().alias("others"),
    )
    return {row.pop("currency"): Totals(**row) for row in added.to_dicts()}


def _raw(piece: Piece, table: Table, cells: Cells) -> pl.DataFrame:
    """The cells that are read, as texts."""
    width = len(table.names)
    separator = table.separator
    header = separator.join(f"c{place}" for place in range(width)) + "\n"
    quoted = table.layout.quoted
    try:
        raw = pl.read_csv(
            io.BytesIO(header.encode() + piece.text),
            separator=separator,
            quote_char='"' if quoted else None,
            columns=sorted(cells.used, key=lambda name: int(name[1:])),
            infer_schema=False,
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError as error:
        _raise_ragged(piece, table)
        raise UnreadableBill(
            f"the rows from here on cannot be read: {str(error).splitlines()[0][:200]}.",
            cure=_AS_IT_CAME,
            line=piece.line,
        ) from error
    records = raw.height
    if piece.text.count(separator.encode()) != records * (width - 1) or piece.text.count(b"\n") != records:
        _raise_ragged(piece, table)
    if table.layout.backticks:
        # Of the first cell of a row only; the others lost theirs with the separators.
        raw = raw.with_columns(pl.col("c0").str.strip_prefix("`")) if "c0" in raw.columns else raw
    return raw


def _raise_ragged(piece: Piece, table: Table) -> None:
    """Tell the first row that has more or fewer cells than the header, if there is one."""
    width = len(table.names)
    for line, row in cells_of(piece, table.separator, quoted=table.layout.quoted):
        if len(row) != width:
            what = "the line is empty" if not any(row) else f"the row has {len(row)} cells"
            raise UnreadableBill(
                f"{what}, and the header names {width} columns.", cure=_AS_IT_CAME, line=line
            )


def _lines(piece: Piece, table: Table, rows: int) -> pl.Series:
    """The line of each row."""
    if piece.text.count(b"\n") == rows:
        return pl.int_range(piece.line, piece.line + rows, eager=True, dtype=pl.Int64)
    found = [line for line, _ in cells_of(piece, table.separator, quoted=True)]
    return pl.Series(found, dtype=pl.Int64)


def _insist_short(frame: pl.DataFrame) -> None:
    for name in ("number", "reference", "parent"):
        long = frame.get_column(name).str.len_chars() > LONGEST_NUMBER
        if long.any():
            raise UnreadableBill(
                f"a number has more than {LONGEST_NUMBER} characters.",
                cure=_AS_IT_CAME,
                line=int(frame.get_column("line")[int(long.arg_true()[0])]),
            )


def _held(check: Check, name: str) -> pl.Expr:
    return check.holds.fill_null(False).alias(name)


def _written(value: int, decimals: int) -> str:
    """A whole number of ``10 ** -decimals`` as a bill writes it."""
    if not decimals:
        return str(value)
    scale = 10**decimals
    return f"{'-' if value < 0 else ''}{abs(value) // scale}.{abs(value) % scale:0{decimals}d}"
