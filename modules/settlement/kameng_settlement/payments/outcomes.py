"""What comes of what a gateway says of a payment."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from kameng_settlement.payments.records import StoredPayment


class Outcome(StrEnum):
    """What came of an observation."""

    PAID = "PAID"
    """It is paid, and the money is in the payer's wallet."""
    SURPLUS = "SURPLUS"
    """It had been paid by another transaction; this money too is in the payer's wallet."""
    REPEATED = "REPEATED"
    """The same transaction was taken in before; nothing more came of it."""
    PENDING = "PENDING"
    """Not paid yet."""
    CLOSED = "CLOSED"
    """The try is over: it cannot be paid any more."""
    FAILED = "FAILED"
    """The try is over: the gateway could not take the money."""
    UNKNOWN_NUMBER = "UNKNOWN_NUMBER"
    """There is no payment of this number at this account."""
    WRONG_GATEWAY = "WRONG_GATEWAY"
    """Another gateway's word."""
    WRONG_MERCHANT = "WRONG_MERCHANT"
    """The money went to somebody else."""
    WRONG_AMOUNT = "WRONG_AMOUNT"
    """Another amount than is to be paid, or none."""
    WRONG_CURRENCY = "WRONG_CURRENCY"
    """Another currency."""
    NO_TRANSACTION = "NO_TRANSACTION"
    """It says paid, and not by which transaction."""
    REPLAYED = "REPLAYED"
    """The transaction was taken in before for something else."""
    UNCONFIRMED = "UNCONFIRMED"
    """It says paid, and the gateway, when asked, does not."""


HARMLESS: Final = frozenset(
    {Outcome.PAID, Outcome.SURPLUS, Outcome.REPEATED, Outcome.PENDING, Outcome.CLOSED, Outcome.FAILED}
)
"""Outcomes after which the gateway need not tell again."""

ALARMING: Final = frozenset(set(Outcome) - (HARMLESS - {Outcome.SURPLUS}))
"""Outcomes that a person should look at."""


class Observed(msgspec.Struct, frozen=True):
    """What came of an observation, and for which payment."""

    outcome: Outcome
    payment: StoredPayment | None = None
