"""What other modules may use of settlement: charging wallets and looking at them. No tables.

Settlement knows charges, not orders: it is told whom to charge, how much and under which key.
`Charging.charge` is set-based and runs inside the caller's transaction, like the calls of the catalogue on
the order path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from kameng.errors import Refusal
from kameng.money import Money
from kameng_settlement.events import WalletCredited

__all__ = [
    "Charge",
    "Charged",
    "Charging",
    "InsufficientFunds",
    "Wallet",
    "WalletCredited",
    "Wallets",
]


class InsufficientFunds(Refusal):
    """The wallet holds less than the amount, down to its floor."""

    code = "INSUFFICIENT_FUNDS"


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


class Wallets(Protocol):
    """Looking at wallets."""

    async def wallets(self, members: Sequence[UUID], currency: str) -> list[Wallet]:
        """The wallet of each member, in order; an unused one is empty. One statement."""
        ...
