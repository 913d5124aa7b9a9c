"""What an operator says of a CSV that is none of the known bills."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Unit(StrEnum):
    """What amounts are written in."""

    MAIN = "main"
    MINOR = "minor"


class Signs(StrEnum):
    """Which sign something has in the file."""

    ABOVE_ZERO = "above_zero"
    BELOW_ZERO = "below_zero"


class Columns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names that columns have in the file; empty where there is none.

    Attributes:
        amount, at: of every row.
        number: our number.
        reference: the gateway's number.
        kind, status, fee, currency: as in the normal form.
    """

    amount: str
    at: str
    number: str = ""
    reference: str = ""
    kind: str = ""
    status: str = ""
    fee: str = ""
    currency: str = ""


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CSV.

    Attributes:
        columns: their names.
        currency: ISO 4217, of all rows; where there is a column for it, every row must say the same.
        zone: of its times and its day, such as ``Asia/Shanghai``.
        time: how times are written, by the codes of strftime.
        encoding: a codec's name.
        separator: one character.
        unit: of its amounts.
        refunds: the sign of a refund's amount; tells refunds where no column does.
        fees: the sign of a fee that the gateway keeps.
        kinds: value of the column ``kind`` → ``payment``, ``refund``, ``fee``, ``payout`` or ``other``.
        statuses: value of the column ``status`` → ``done``, ``pending`` or ``failed``.
        comment: what lines begin with that are no rows, before the table.
        footer: what the first line behind the table begins with.
    """

    columns: Columns
    currency: str
    zone: str = "UTC"
    time: str = "%Y-%m-%d %H:%M:%S"
    encoding: str = "utf-8"
    separator: str = ","
    unit: Unit = Unit.MAIN
    refunds: Signs = Signs.ABOVE_ZERO
    fees: Signs = Signs.ABOVE_ZERO
    kinds: dict[str, str] = {}
    statuses: dict[str, str] = {}
    comment: str = ""
    footer: str = ""
