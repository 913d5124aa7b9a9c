"""A CSV that an operator describes: which column holds what, its encoding, unit, signs and time zone."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from kameng.errors import InvalidInput
from kameng.money import check_currency
from kameng_settlement.reconciliation.bills.cells import Cells
from kameng_settlement.reconciliation.bills.layout import Control, Layout
from kameng_settlement.reconciliation.description import Description, Signs, Unit
from kameng_settlement.reconciliation.normal import BillKind, RowKind, RowStatus


def layout_of(name: str, description: Description) -> Layout:
    """The layout of a described bill."""
    columns = description.columns
    optional = (
        columns.number,
        columns.reference,
        columns.kind,
        columns.status,
        columns.fee,
        columns.currency,
    )
    needed = (columns.amount, columns.at, *(column for column in optional if column))
    return Layout(
        name=name,
        title=name,
        kind=BillKind.TRADE,
        needed=tuple(dict.fromkeys(needed)),
        zone=description.zone,
        encoding=codecs.lookup(description.encoding).name,
        separator=description.separator,
        quoted=True,
        comment=description.comment,
        footer=description.footer,
    )


class Described:
    """Reads a described bill.

    Args:
        name: of the description.
        description: what the operator says.
    """

    def __init__(self, name: str, description: Description) -> None:
        self.layout = layout_of(name, description)
        self._said = description

    def normal(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """The normal form."""
        said, columns = self._said, self._said.columns
        amount = self._amount(cells, columns.amount)
        if columns.kind:
            values = {text: RowKind(kind).value for text, kind in said.kinds.items()}
            kind = cells.one_of(columns.kind, values)
        elif said.refunds is Signs.BELOW_ZERO:
            kind = pl.when(amount < 0).then(pl.lit("refund")).otherwise(pl.lit("payment"))
        else:
            kind = pl.lit(RowKind.PAYMENT.value)
        fee = self._amount(cells, columns.fee) if columns.fee else pl.lit(None, dtype=pl.Int64)
        traded = kind.is_in([RowKind.PAYMENT.value, RowKind.REFUND.value])
        statuses = {text: RowStatus(status).value for text, status in said.statuses.items()}
        return {
            "kind": kind,
            "number": cells.text(columns.number) if columns.number else pl.lit(""),
            "reference": cells.text(columns.reference) if columns.reference else pl.lit(""),
            "parent": pl.lit(""),
            "status": cells.one_of(columns.status, statuses)
            if columns.status
            else pl.lit(RowStatus.DONE.value),
            "currency": cells.one_of(columns.currency, {said.currency: said.currency})
            if columns.currency
            else pl.lit(said.currency),
            "amount": pl.when(traded).then(amount.abs()).otherwise(amount),
            "fee": -fee if said.fees is Signs.BELOW_ZERO else fee,
            "at": cells.moment(columns.at, said.time, said.zone),
        }

    def sums(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """Nothing: a described bill has no totals that could be known."""
        return {}

    def controls(self, footer: Sequence[str], line: int) -> Sequence[Control]:
        """None."""
        return ()

    def _amount(self, cells: Cells, name: str) -> pl.Expr:
        return (
            cells.fine(name, 0) if self._said.unit is Unit.MINOR else cells.minor(name, self._said.currency)
        )


def check_description(description: Description) -> Description:
    """The description itself, if it can be used.

    Raises:
        InvalidInput: an unknown encoding, currency, zone or kind, or no column that tells rows apart.
    """
    columns = description.columns
    if not (columns.number or columns.reference):
        raise InvalidInput(
            "Rows cannot be told apart.", cure="Name the column `number`, `reference`, or both."
        )
    if len(description.separator.encode()) != 1:
        raise InvalidInput("A separator is one character.", cure="Give `,`, `;` or a tab.")
    check_currency(description.currency)
    try:
        codecs.lookup(description.encoding)
        ZoneInfo(description.zone)
        for kind in description.kinds.values():
            RowKind(kind)
        for status in description.statuses.values():
            RowStatus(status)
    except (LookupError, ValueError) as error:
        raise InvalidInput(
            f"The description cannot be used: {error}.",
            cure="Name an encoding such as utf-8, a zone such as Asia/Shanghai, kinds and statuses as documented.",
        ) from error
    return description


def described(name: str, stored: bytes | str) -> Described:
    """The reader of a stored description."""
    return Described(name, msgspec.json.decode(stored, type=Description))
