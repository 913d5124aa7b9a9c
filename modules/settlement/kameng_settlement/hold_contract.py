"""What other modules may use of holds: money of a wallet that is set aside before it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from kameng.errors import Conflict, Refusal
from kameng.money import Money


class HoldClosed(Conflict):
    """The hold was posted, voided or has expired; it is resolved once and for all."""

    code = "HOLD_CLOSED"


class HoldExceeded(Refusal):
    """More would be taken than was held."""

    code = "HOLD_EXCEEDED"


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Money of a member that is to be set aside.

    Attributes:
        key: the caller's idempotency key, unique for ever, such as ``withdrawal:<id>``.
        member: whose wallet.
        amount: more than zero; what can be spent shrinks by it at once.
        memo: what it is for, for people; no personal data.
        lasts: after this it is void by itself; None: never.
    """

    key: str
    member: UUID
    amount: Money
    memo: str = ""
    lasts: timedelta | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Money that is set aside.

    Attributes:
        hold: the hold's key, by which it is posted or voided.
        fresh: whether it was placed now; false where the same was asked for before.
    """

    hold: UUID
    fresh: bool


class HoldPosting(msgspec.Struct, frozen=True, kw_only=True):
    """Held money that is taken now.

    Attributes:
        key: the caller's idempotency key, unique for ever; the ledger transaction's too.
        hold: as `Held` told it.
        amount: what is taken, at most what is held; the rest is free again. None: all of it.
    """

    key: str
    hold: UUID
    amount: Money | None = None


class HoldPosted(msgspec.Struct, frozen=True, kw_only=True):
    """Held money that was taken.

    Attributes:
        transaction: the ledger transaction that carries it, a charge that can be refunded.
        fresh: whether it was posted now; false where the same was asked for before.
    """

    transaction: UUID
    fresh: bool


class HoldVoiding(msgspec.Struct, frozen=True, kw_only=True):
    """Held money that is free again.

    Attributes:
        key: the caller's idempotency key, unique for ever.
        hold: as `Held` told it.
    """

    key: str
    hold: UUID


class HoldVoided(msgspec.Struct, frozen=True, kw_only=True):
    """A hold that is void.

    Attributes:
        fresh: whether it was voided now; false where the same was asked for before.
    """

    fresh: bool


class Holds(Protocol):
    """Setting money aside. All calls are set-based and run inside the caller's transaction."""

    async def place(self, holds: Sequence[Hold]) -> list[Held | Refusal]:
        """Set money aside, in order, or answer `InsufficientFunds`.

        The same hold again answers the first one; a key that was used for something else is answered
        `Conflict`, or raises it for the whole batch where two transactions meet over it.
        """
        ...

    async def post(self, postings: Sequence[HoldPosting]) -> list[HoldPosted | Refusal]:
        """Take held money, in whole or part, in order: from the wallet to the shop's sales.

        Answers `NotFound`, `HoldClosed` or `HoldExceeded` where it cannot be. A key of another ledger
        transaction raises `Conflict` for the whole batch.
        """
        ...

    async def void(self, voidings: Sequence[HoldVoiding]) -> list[HoldVoided | Refusal]:
        """Let held money go, in order; answers `NotFound` or `HoldClosed` where it cannot be."""
        ...
