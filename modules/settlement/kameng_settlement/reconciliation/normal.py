"""The normal form that every bill is read into, and the rows of our own side have too.

line       where the row stands in its file, from 1; of our own rows: 0
kind       `RowKind`
number     our number: the payment's, or the refund's; empty where the gateway tells none
reference  the gateway's number
parent     of a refund: the payment's number; else empty
status     `RowStatus`
currency   ISO 4217
amount     minor units, never negative for payments and refunds; signed for everything else, above zero where we got it
fee        minor units that the gateway keeps; below zero where it gives some back; null where it tells none
at         when the gateway says it happened, UTC
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kameng_settlement.gateway_contract import BillKind

__all__ = ["COLUMNS", "BillKind", "RowKind", "RowStatus", "Totals"]

COLUMNS = ("line", "kind", "number", "reference", "parent", "status", "currency", "amount", "fee", "at")
"""The normal form's columns, in order."""


class RowKind(StrEnum):
    """What a row tells of."""

    PAYMENT = "payment"
    REFUND = "refund"
    FEE = "fee"
    PAYOUT = "payout"
    OTHER = "other"


class RowStatus(StrEnum):
    """How it ended."""

    DONE = "done"
    PENDING = "pending"
    FAILED = "failed"


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What rows of one currency add up to, in minor units.

    Attributes:
        rows: how many.
        payments, refunds, fees: of the rows that are done.
        others: fees on their own, payouts and all else, signed.
    """

    rows: int = 0
    payments: int = 0
    refunds: int = 0
    fees: int = 0
    others: int = 0

    @property
    def net(self) -> int:
        """What stays of payments after refunds and fees."""
        return self.payments - self.refunds - self.fees

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            rows=self.rows + other.rows,
            payments=self.payments + other.payments,
            refunds=self.refunds + other.refunds,
            fees=self.fees + other.fees,
            others=self.others + other.others,
        )
