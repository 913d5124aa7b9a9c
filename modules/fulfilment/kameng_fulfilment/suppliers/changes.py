"""What an outcome changes of an order at a supplier."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from kameng.money import Money
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.supplier_contract import (
    Accepted,
    NeverReceived,
    NotSent,
    Outcome,
    Rejected,
)
from kameng_fulfilment.suppliers.records import (
    OPEN_STATES,
    SupplierOrder,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel


ASK_PAUSES: Final = (2, 3, 5, 10, 20, 40, 60, 120, 300, 600, 1800)
"""Seconds between questions about an order; the last one for ever after."""


SEND_PAUSES: Final = (2, 10)
"""Seconds before an order is sent again that was not sent, for certain. After that another supplier has a try."""


LONGEST_PAUSE: Final = 60.0
"""Seconds; a supplier that wants more patience than that before it takes an order has not taken it."""


class Change(msgspec.Struct):
    """What becomes of an order at a supplier."""

    state: str
    next_at: datetime
    attention: str
    note: str
    number: str = ""
    charged_minor: int | None = None
    asks: int = 0
    sealed: bytes | None = None
    data_key: UUID | None = None
    outcome: str = ""


def accepted(order: SupplierOrder, outcome: Accepted, change: Change, now: datetime) -> None:
    """The supplier has taken it, and delivers later."""
    if order.state == "DELIVERED":
        change.outcome, change.note = "repeated", order.note
        return
    change.number = outcome.number[:200]
    note_charge(order, outcome.charged, change)
    if order.state not in OPEN_STATES:
        change.attention = "CONTRADICTS"
        return
    change.state = "ACCEPTED"
    change.next_at = now + pause_after(ASK_PAUSES, change.asks)


def rejected(order: SupplierOrder, change: Change, now: datetime) -> None:
    """The supplier has not taken it, for certain."""
    if order.state in ("REJECTED", "FAILED"):
        change.outcome = "repeated"
    elif order.state == "DELIVERED" or order.sealed is not None:
        # Codes have come: who is wrong is for a person to find out.
        change.attention = "CONTRADICTS"
        change.next_at = now + timedelta(seconds=ASK_PAUSES[-1])
    else:
        change.state = "REJECTED"


def never_received(
    kernel: Kernel,
    order: SupplierOrder,
    change: Change,
    now: datetime,
    timeout: float,
) -> None:
    """The supplier says that it never got it."""
    if order.state not in ("SENT", "UNKNOWN") or order.sent_at is None:
        if order.state in ("ACCEPTED", "DELIVERED"):
            change.attention = "CONTRADICTS"
            change.next_at = now + timedelta(seconds=ASK_PAUSES[-1])
        return
    silence = kernel.settings.section("fulfilment", FulfilmentSettings).supplier_silence_seconds
    believed = order.sent_at + timedelta(seconds=timeout + silence)
    if now < believed:
        # The request may still be on its way.
        change.state = "UNKNOWN"
        change.next_at = min(believed, now + pause_after(ASK_PAUSES, change.asks))
        return
    change.state, change.note = "FAILED", "the supplier never received it"


def not_sent(order: SupplierOrder, outcome: NotSent, change: Change, now: datetime) -> None:
    """It did not reach the supplier, for certain."""
    if order.state != "SENT":
        return
    later = outcome.retry_after or 0.0
    if order.sends > len(SEND_PAUSES) or later > LONGEST_PAUSE:
        change.state = "FAILED"
        return
    change.state = "PREPARED"
    change.next_at = now + max(pause_after(SEND_PAUSES, order.sends), timedelta(seconds=later))


def unknown(order: SupplierOrder, change: Change, now: datetime) -> None:
    """Nobody knows what became of it: it is asked about, never sent again."""
    if order.state in OPEN_STATES:
        change.state = "UNKNOWN" if order.state == "SENT" else order.state
        change.next_at = now + pause_after(ASK_PAUSES, change.asks)


def note_charge(order: SupplierOrder, charged: Money | None, change: Change) -> None:
    """Remember what a supplier took. What is missing stays unknown; what cannot be right is shown to a person."""
    if charged is None:
        return
    if charged.currency != order.currency or charged.minor <= 0 or charged.minor > order.expected.minor:
        change.attention = change.attention or "COST"
    if charged.currency == order.currency and charged.minor > 0:
        change.charged_minor = charged.minor


def words_of(outcome: Outcome) -> str:
    """An outcome in words, for the record."""
    match outcome:
        case Rejected() | NotSent():
            return outcome.reason
        case NeverReceived():
            return ""
        case _:
            return outcome.note


def pause_after(pauses: tuple[int, ...], count: int) -> timedelta:
    """The pause after so many tries."""
    seconds = pauses[min(count, len(pauses) - 1)]
    return timedelta(seconds=seconds * random.uniform(0.85, 1.15))  # noqa: S311 - spreads load, hides nothing
