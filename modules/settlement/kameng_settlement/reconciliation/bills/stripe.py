"""Stripe's itemised report of balance changes, as CSV.

It states no totals; instead each row's net must be its gross less its fee. Our numbers come from the metadata of payments
and refunds; where these columns were left out of the report, rows are found by Stripe's own ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from kameng.money import minor_decimals
from kameng_settlement.reconciliation.bills.cells import Cells
from kameng_settlement.reconciliation.bills.layout import Control, Layout
from kameng_settlement.reconciliation.normal import BillKind, RowKind, RowStatus

LAYOUT = Layout(
    name="stripe-balance",
    title="Stripe balance changes (itemised CSV)",
    kind=BillKind.TRADE,
    needed=("balance_transaction_id", "created_utc", "currency", "gross", "fee", "net", "reporting_category"),
    zone="UTC",
    quoted=True,
)

NUMBER = "kameng_number"
"""The key of the metadata in which a payment or refund bears our number."""

_CATEGORIES = {
    "charge": RowKind.PAYMENT,
    "refund": RowKind.REFUND,
    "partial_capture_reversal": RowKind.REFUND,
    "fee": RowKind.FEE,
    "payout": RowKind.PAYOUT,
}
_CURRENCIES = ("cny", "usd", "eur", "gbp", "hkd", "jpy", "krw", "sgd", "aud", "cad", "twd", "myr", "thb")
_CURRENCIES_MORE = ("vnd", "idr", "php", "inr", "chf", "nzd", "sek", "nok", "dkk", "pln", "czk", "mxn", "brl")


class StripeBalance:
    """The report of balance changes."""

    layout = LAYOUT

    def normal(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """The normal form."""
        codes = _CURRENCIES + _CURRENCIES_MORE
        currency = cells.one_of("currency", {code: code.upper() for code in codes})
        decimals = {code.upper(): minor_decimals(code.upper()) for code in codes}
        kind = cells.one_of("reporting_category", _CATEGORIES, other=RowKind.OTHER)
        gross, fee = (cells.minor_by(name, currency, decimals) for name in ("gross", "fee"))
        net = cells.minor_by("net", currency, decimals)
        cells.expect(
            "net",
            net == gross - fee,
            "{} is not gross less fee.",
            "Download the report again; it was changed or cut off.",
        )
        own = cells.text("balance_transaction_id", needed=True)
        refunded = kind == RowKind.REFUND
        return {
            "kind": kind,
            "number": pl.when(refunded)
            .then(_first(cells, f"refund_metadata[{NUMBER}]"))
            .otherwise(_first(cells, f"payment_metadata[{NUMBER}]")),
            "reference": pl.when(refunded)
            .then(_either(_first(cells, "source_id"), own))
            .when(kind == RowKind.PAYMENT)
            .then(_either(_first(cells, "payment_intent_id"), _either(_first(cells, "source_id"), own)))
            .otherwise(own),
            "parent": pl.when(refunded)
            .then(_first(cells, f"payment_metadata[{NUMBER}]"))
            .otherwise(pl.lit("")),
            "status": pl.lit(RowStatus.DONE.value),
            "currency": currency,
            "amount": pl.when(refunded).then(gross.abs()).otherwise(gross),
            "fee": fee,
            "at": cells.moment("created_utc", "%Y-%m-%d %H:%M:%S", "UTC"),
        }

    def sums(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """Nothing: the report states no totals."""
        return {}

    def controls(self, footer: Sequence[str], line: int) -> Sequence[Control]:
        """None."""
        return ()


def _first(cells: Cells, name: str) -> pl.Expr:
    """A column that may have been left out."""
    return cells.text(name) if cells.has(name) else pl.lit("")


def _either(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    return pl.when(first != "").then(first).otherwise(second)
