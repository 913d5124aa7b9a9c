"""What other modules may use of the books: posting between accounts of the chart, their own kinds among them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from kameng.errors import Refusal
from kameng.money import Money
from kameng_settlement.chart import HOUSE


class Holder(msgspec.Struct, frozen=True):
    """An account as other modules name it.

    Attributes:
        kind: its code in the chart of accounts.
        owner: whose it is; the shop's own where nothing is said.
    """

    kind: str
    owner: UUID = HOUSE


class Move(msgspec.Struct, frozen=True):
    """An amount that goes from one account to another.

    Attributes:
        debit, credit: where it goes from, and where to.
        amount: more than zero.
    """

    debit: Holder
    credit: Holder
    amount: Money


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """Something that moves money.

    Attributes:
        key: the caller's idempotency key, unique for ever, such as ``supplier-bill:<id>``.
        kind: what happens, such as ``supplier_bill``.
        moves: at least one. Each is of one currency, so a booking balances in every one of them.
        memo: for people; no personal data.
        effective_at: the moment for which it counts; None: now.
    """

    key: str
    kind: str
    moves: tuple[Move, ...]
    memo: str = ""
    effective_at: datetime | None = None


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """A booking that is in the ledger.

    Attributes:
        transaction: the ledger transaction that carries it.
        fresh: whether it was posted now; false where the same was asked for before.
    """

    transaction: UUID
    fresh: bool


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """Money of one currency for money of another.

    Attributes:
        key: the caller's idempotency key, unique for ever.
        giver, given: who gives what.
        taker, taken: who gets what for it, of another currency.
        memo: for people; no personal data.
    """

    key: str
    giver: Holder
    given: Money
    taker: Holder
    taken: Money
    memo: str = ""


class Books(Protocol):
    """Posting. All calls run inside the caller's transaction."""

    async def book(self, bookings: Sequence[Booking]) -> list[Booked | Refusal]:
        """Post each, in order, as far as the floors of the accounts allow: otherwise `InsufficientFunds`.

        Accounts are opened as they are needed. The same booking again answers the first one; a key that was used for
        something else is answered `Conflict`, an unknown kind of account `InvalidInput`. The number of statements does
        not depend on that of the bookings.
        """
        ...

    async def exchange(self, exchanges: Sequence[Exchange]) -> list[Booked | Refusal]:
        """Exchange money through the shop's exchange accounts, one for each currency; otherwise as `book`."""
        ...

    async def reverse(self, transaction: UUID, *, key: str, memo: str = "") -> Booked:
        """Take a transaction back, once.

        Raises:
            NotFound: there is no such transaction.
            AlreadyReversed, AlreadyRefunded, InsufficientFunds, Conflict: it cannot be.
        """
        ...
