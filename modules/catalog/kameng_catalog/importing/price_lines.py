"""The lines of a price file, checked one by one and against each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from kameng_catalog.contract import RETAIL
from kameng_catalog.importing import cells
from kameng_catalog.importing.faults import CellFault, Fault, Faults
from kameng_catalog.importing.rows import Columns, Row, Sheet, misshapen

COLUMNS = Columns(
    known=("sku", "tier", "from_quantity", "currency", "price", "site", "starts_at", "ends_at"),
    required=frozenset({"sku", "currency", "price"}),
)
"""The columns of a price file. Without a tier a price is that of retail, without a quantity it holds from one piece on, without
a site everywhere, without a period always.
"""

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class PriceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A sound line.

    Attributes:
        line: where it stands.
        sku: the variant's number.
        units: ten-thousandths of ``currency``.
        tier, from_quantity, site, starts_at, ends_at: as `price_writing.PriceChange` has them.
    """

    line: int
    sku: str
    tier: str
    from_quantity: int
    currency: str
    units: int
    site: str
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def place(self) -> tuple[object, ...]:
        """What a price is known by."""
        return self.sku, self.currency, self.site, self.tier, self.from_quantity, self.starts_at


def _code(text: str) -> str:
    if text and not _CODE.fullmatch(text):
        raise CellFault(f"{cells.quoted(text)} is no code in small letters")
    return text


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CellFault(f"{cells.quoted(text)} is no moment; write it like 2026-11-11T00:00:00+08:00")
    return moment.astimezone(UTC)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "sku": cells.sku,
    "tier": _code,
    "from_quantity": lambda text: cells.quantity(text) if text else 1,
    "currency": cells.currency,
    "price": cells.units,
    "site": _code,
    "starts_at": _moment,
    "ends_at": _moment,
}


class PriceLines:
    """Reads the lines of a price file.

    Args:
        sheet: the file.
        faults: takes what is wrong.
    """

    def __init__(self, sheet: Sheet, faults: Faults) -> None:
        self._sheet = sheet
        self._faults = faults
        self._places: dict[tuple[object, ...], int] = {}

    def read(self) -> Iterator[PriceLine]:
        """The sound lines, in order."""
        return (line for row in self._sheet.rows() if (line := self._read(row)) is not None)

    def _read(self, row: Row) -> PriceLine | None:
        if fault := misshapen(row, self._sheet.columns):
            self._faults.add(fault)
            return None
        values: dict[str, Any] = {}
        faults = []
        for column, text in zip(self._sheet.columns, row.cells, strict=True):
            try:
                values[column] = _READERS[column](text)
            except CellFault as fault:
                faults.append(Fault(row.line, column, str(fault)))
        starts_at, ends_at = values.get("starts_at"), values.get("ends_at")
        if ends_at is not None and (starts_at is None or ends_at <= starts_at):
            faults.append(Fault(row.line, "ends_at", "is not after starts_at"))
        if not faults:
            line = PriceLine(
                line=row.line,
                sku=values["sku"],
                tier=values.get("tier") or RETAIL,
                from_quantity=values.get("from_quantity", 1),
                currency=values["currency"],
                units=values["price"],
                site=values.get("site") or "",
                starts_at=starts_at,
                ends_at=ends_at,
            )
            first = self._places.setdefault(line.place, row.line)
            if first == row.line:
                return line
            faults.append(Fault(row.line, "", f"is the price of line {first} again"))
        self._faults.add(*faults)
        return None
