"""What other modules use of payments. They import it from `kameng_settlement.contract`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from kameng.money import Money


class PaymentDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody is to pay from outside, by whatever gateway he chooses.

    Attributes:
        key: the asker's idempotency key, unique for ever, such as ``order:<id>:1``.
        purpose: what for, such as ``order``: whoever handles `PaymentSucceeded` knows by it what is its own.
        subject: what is paid, in the asker's words.
        payer: whose wallet the money goes to.
        amount: more than zero.
        expires_at: until when it is waited for, at most 90 days. What comes later is taken in as well.
        payer_kind: ``member`` or ``guest``.
        site: on which site, by its code; empty: the operator's own.
        memo: what it is for, for people; no personal data. It is the memo of the money's receipt.
        actor: who asks: a principal's key, or ``system``.
    """

    key: str
    purpose: str
    subject: UUID
    payer: UUID
    amount: Money
    expires_at: datetime
    payer_kind: str = "member"
    site: str = ""
    memo: str = ""
    actor: str = "system"


class OpenedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that can be paid.

    Attributes:
        payment: its key.
        number: by which the payer finds it; hard to guess.
        state: ``CREATED``, ``PENDING``, ``PAID``, ``CLOSED``, ``EXPIRED`` or ``FAILED``.
    """

    payment: UUID
    number: str
    state: str


class PaymentDesk(Protocol):
    """Having something paid from outside."""

    async def open(self, draft: PaymentDraft) -> OpenedPayment:
        """Open a payment, or find the one that was opened under its key. Joins the transaction around it.

        Once it is paid, `PaymentSucceeded` is published, in the transaction that puts the money into the payer's wallet.

        Raises:
            InvalidInput: a value is unusable.
            Conflict: the key was used for something else.
        """
        ...

    async def close(self, payment: UUID, actor: str, note: str = "") -> bool:
        """Wait for it no more; whether it was open. Money that comes nevertheless is taken in all the same.

        Raises:
            NotFound: there is no such payment.
        """
        ...

    async def close_for(self, purpose: str, subject: UUID, actor: str, note: str = "") -> int:
        """Wait no more for whatever is to be paid for something; how many payments were open."""
        ...

    async def refund(self, payment: UUID, amount: Money, *, key: str, reason: str, actor: str) -> UUID:
        """Have a payment, or a part of it, go back by its gateway; the refund's key. Joins the transaction around it.

        The payer's wallet gives it at once; `PaymentRefundSettled` tells what became of it. The same key again is the same
        refund.

        Raises:
            NotFound: there is no such payment.
            NotRefundable: it is not paid, or its gateway gives it back no more.
            RefundExceedsPayment: more would go back than was paid.
            InsufficientFunds: the payer's wallet holds less.
            Conflict: the key was used for something else.
        """
        ...


class TwoPersons(Protocol):
    """Money that nobody but people have seen."""

    async def confirm(self, about: UUID, reference: str, amount: Money, person: UUID) -> bool:
        """Note that somebody has seen money; whether it counts now, since two different persons have.

        Joins the transaction around it. Repeated after the second person it is true again, so whatever follows has to be
        harmless when it is repeated.

        Args:
            about: what it was transferred for, such as an order's key.
            reference: what the transfer is called where it came in.
            amount: what came in; both have to say the same.
            person: who has seen it.

        Raises:
            SamePerson: the first person cannot be the second.
            ConfirmationDiffers: the first one saw another amount.
            InvalidInput: the reference or the amount is unusable.
        """
        ...
