"""What other modules may use of settlement: charging wallets, giving back, taking in, and looking. No tables.

Settlement knows charges, not orders: it is told whom to charge, how much and under which key.
All that moves money is set-based and runs inside the caller's transaction, like the calls of the catalogue on
the order path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from kameng.errors import Refusal
from kameng.money import Money
from kameng_settlement.book_contract import Booked, Booking, Books, Exchange, Holder, Move
from kameng_settlement.chart import HOUSE, AccountKind
from kameng_settlement.events import HoldExpired, WalletCredited
from kameng_settlement.hold_contract import (
    Held,
    Hold,
    HoldClosed,
    HoldExceeded,
    HoldPosted,
    HoldPosting,
    Holds,
    HoldVoided,
    HoldVoiding,
)
from kameng_settlement.payments.desk import OpenedPayment, PaymentDesk, PaymentDraft, TwoPersons
from kameng_settlement.payments.errors import ConfirmationDiffers, SamePerson
from kameng_settlement.payments.events import PaymentNeedsAttention, PaymentRefundSettled, PaymentSucceeded
from kameng_settlement.payments.finding_contract import PaymentFinding

__all__ = [
    "HOUSE",
    "AccountKind",
    "Booked",
    "Booking",
    "Books",
    "Charge",
    "Charged",
    "Charging",
    "ConfirmationDiffers",
    "Exchange",
    "Held",
    "Hold",
    "HoldClosed",
    "HoldExceeded",
    "HoldExpired",
    "HoldPosted",
    "HoldPosting",
    "HoldVoided",
    "HoldVoiding",
    "Holder",
    "Holds",
    "InsufficientFunds",
    "Move",
    "Moved",
    "OpenedPayment",
    "PaymentDesk",
    "PaymentDraft",
    "PaymentFinding",
    "PaymentNeedsAttention",
    "PaymentRefundSettled",
    "PaymentSucceeded",
    "Receipt",
    "Receipts",
    "Received",
    "Refund",
    "RefundTooLarge",
    "Refunded",
    "SamePerson",
    "TwoPersons",
    "Wallet",
    "WalletCredited",
    "WalletMoves",
    "Wallets",
]


class InsufficientFunds(Refusal):
    """The wallet holds less than the amount, down to its floor."""

    code = "INSUFFICIENT_FUNDS"


class RefundTooLarge(Refusal):
    """More would be given back than was charged."""

    code = "REFUND_TOO_LARGE"


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """Money that a member owes for something.

    Attributes:
        key: the caller's idempotency key, unique for ever, such as ``order:<id>``.
        member: whose wallet pays.
        amount: more than zero.
        memo: what it is for, for people; no personal data.
    """

    key: str
    member: UUID
    amount: Money
    memo: str = ""


class Charged(msgspec.Struct, frozen=True, kw_only=True):
    """A charge that was paid.

    Attributes:
        transaction: the ledger transaction that carries it.
    """

    transaction: UUID


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A charge, or a part of it, that goes back to the wallet it came from.

    Attributes:
        key: the caller's idempotency key, unique for ever, such as ``refund:<id>``.
        charge: the ledger transaction of the charge, as `Charged` told it.
        amount: more than zero.
        memo: why, for people; no personal data.
    """

    key: str
    charge: UUID
    amount: Money
    memo: str = ""


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that is in the wallet.

    Attributes:
        transaction: the ledger transaction that carries it.
        fresh: whether it was posted now; false where the same was asked for before.
    """

    transaction: UUID
    fresh: bool


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came in from outside for a buyer.

    Attributes:
        source: who took it in, such as ``manual`` or ``wechat:<merchant>``: a gateway and the account there.
        reference: what it is called there, unique for the source and for ever.
        member: whose wallet gets it.
        amount: more than zero.
        memo: what it is for, for people; no personal data. The same reference with another memo, amount or
            member is a conflict, so what stands here binds the payment to it.
    """

    source: str
    reference: str
    member: UUID
    amount: Money
    memo: str = ""

    @property
    def key(self) -> str:
        """The idempotency key that follows from source and reference."""
        return f"receipt:{self.source}:{self.reference}"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """Money from outside that is in the wallet.

    Attributes:
        transaction: the ledger transaction that carries it.
        fresh: whether it was posted now; false where it had been before.
    """

    transaction: UUID
    fresh: bool


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Money that went from one wallet to another.

    Attributes:
        transaction: the ledger transaction that carries it.
        amount: how much.
    """

    transaction: UUID
    amount: Money


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """A member's money of one currency.

    Attributes:
        balance: what is there, holds included.
        available: what can be spent now.
    """

    member: UUID
    balance: Money
    available: Money


class Charging(Protocol):
    """Charging wallets on the order path."""

    async def charge(self, charges: Sequence[Charge]) -> list[Charged | Refusal]:
        """Charge each, in order, or answer `InsufficientFunds`; inside the caller's transaction.

        A wallet charged several times in one batch pays in order, as far as it goes. A key that was used
        before raises `Conflict` for the whole batch, so that the caller tries one by one.
        """
        ...

    async def refund(self, refunds: Sequence[Refund]) -> list[Refunded | Refusal]:
        """Give charges back in part or whole, in order, inside the caller's transaction.

        Never more than was charged, however many refunds run at once: who would exceed it is answered
        `RefundTooLarge`, an unknown charge `NotFound`, a charge that was reversed, or a key that was used for
        something else, `Conflict`. The same refund again gives the first one's transaction.
        """
        ...


class Receipts(Protocol):
    """Taking in money from outside."""

    async def receive(self, receipts: Sequence[Receipt]) -> list[Received | Refusal]:
        """Post each from its source's clearing account to the buyer's wallet, in order; inside the caller's
        transaction.

        The same receipt again is harmless. The same reference with anything else is answered `Conflict`; where
        two transactions meet over one reference for two buyers, the later one raises it for the whole batch.
        """
        ...


class WalletMoves(Protocol):
    """Money that follows its owner from one wallet to another."""

    async def empty(self, giver: UUID, taker: UUID, key: str, memo: str = "") -> list[Moved]:
        """Move all that an owner can spend, in every currency, into another one's wallets; inside the caller's
        transaction. Answers what was moved now.

        An empty wallet moves nothing, and neither does a key that was used before: repeated calls are harmless.

        Args:
            giver, taker: the owners' keys, which differ.
            key: unique for each occasion, such as ``claim:<order>``.
            memo: why, for people; no personal data.
        """
        ...


class Wallets(Protocol):
    """Looking at wallets."""

    async def wallets(self, members: Sequence[UUID], currency: str) -> list[Wallet]:
        """The wallet of each member, in order; an unused one is empty. One statement."""
        ...
