"""Payments, attempts and refunds as they are stored."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.payments.statements import ADD_HISTORY

if TYPE_CHECKING:
    from kameng.kernel import Kernel

OPEN_STATES: Final = frozenset({"CREATED", "PENDING"})
"""States of a payment that can still be paid in time."""

OPEN_ATTEMPT_STATES: Final = frozenset({"STARTING", "WAITING", "UNKNOWN"})
"""States of an attempt of which it is not known yet what becomes of it."""

LONGEST_NOTE: Final = 300
"""Characters of what is kept of a gateway's words."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class StoredPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it is stored; see the table."""

    id: UUID
    number: str
    key: str
    purpose: str
    subject: UUID
    payer: UUID
    payer_kind: str
    amount_minor: int
    currency: str
    site: str
    memo: str
    state: str
    refunded_minor: int
    paid_to: UUID | None
    paid_attempt: UUID | None
    transaction: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None

    @property
    def amount(self) -> Money:
        """What is to be paid, or was."""
        return Money(self.amount_minor, self.currency)


class StoredAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as it is stored; see the table."""

    id: UUID
    payment: UUID
    account: UUID
    number: str
    flow: str
    method: str
    state: str
    answer: str | None
    gateway_reference: str | None
    note: str
    asks: int
    next_at: datetime | None
    busy_until: datetime | None
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class StoredRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as it is stored; see the table."""

    id: UUID
    payment: UUID
    account: UUID
    number: str
    key: str
    amount_minor: int
    currency: str
    reason: str
    state: str
    requested_by: str
    posted: UUID
    returned: UUID | None
    gateway_reference: str | None
    note: str
    sends: int
    asks: int
    next_at: datetime | None
    busy_until: datetime | None
    created_at: datetime
    settled_at: datetime | None

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_minor, self.currency)


def payment_of(row: Mapping[str, Any]) -> StoredPayment:
    """A row of ``settlement_payment``."""
    return StoredPayment(**{name: row[name] for name in StoredPayment.__struct_fields__})


def attempt_of(row: Mapping[str, Any]) -> StoredAttempt:
    """A row of ``settlement_payment_attempt``."""
    return StoredAttempt(**{name: row[name] for name in StoredAttempt.__struct_fields__})


def refund_of(row: Mapping[str, Any]) -> StoredRefund:
    """A row of ``settlement_payment_refund``."""
    return StoredRefund(**{name: row[name] for name in StoredRefund.__struct_fields__})


def new_number(letter: str) -> str:
    """A number that no gateway has seen and nobody guesses: a letter and 25 characters, 125 random bits."""
    return letter + "".join(secrets.choice(_ALPHABET) for _ in range(25))


def short(text: str) -> str:
    """A gateway's words as they are kept: one line, not long."""
    return "".join(each if each.isprintable() else " " for each in text).strip()[:LONGEST_NOTE]


async def note_history(
    kernel: Kernel, payment: UUID, before: str | None, after: str, actor: str, note: str
) -> None:
    """Add to a payment's history."""
    await kernel.db.execute(ADD_HISTORY, new_id(), payment, before, after, actor, short(note))


def payment_changed(kernel: Kernel, payment: StoredPayment) -> None:
    """Tell those who watch a payment that it has changed, once the transaction around has committed."""
    kernel.live.publish(payment_topic(payment.number))


def payment_topic(number: str) -> str:
    """What those listen to who watch a payment."""
    return f"settlement.payment:{number}"
