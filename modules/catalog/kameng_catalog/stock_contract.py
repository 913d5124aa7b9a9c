"""Stock, as other modules may use it. They import it from `kameng_catalog.contract`.

All calls are set-based, run inside the caller's transaction and are keyed by order line.

What locks what, so that callers can keep to one order: reservations, then counters of stock, then whatever the caller
locks after that, such as wallets. So whoever pays something back calls `Stock.put_back` or `Stock.release` first
and moves the money then; `Stock.hand_over_reserved` takes no counters and may be called after wallets were charged.
Cards are locked one by one, and nobody waits for another one's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

import msgspec

from kameng.errors import Refusal

UNLIMITED = 2**31 - 1
"""How many there are of what never runs out."""

StockKind = Literal["card", "reusable", "quota", "unlimited", "supplier"]
"""What a piece is taken from: a secret that is sold once, a secret that is sold many times, a number, nothing, or what a
supplier has."""

DeliveryKind = Literal["instant", "manual", "supplier"]
"""How a paid line is delivered: from stock at once, by the staff, or by a supplier."""


class OutOfStock(Refusal):
    """There is less stock than was asked for."""

    code = "OUT_OF_STOCK"


class PickRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for stock.

    Attributes:
        variant: its key.
        quantity: how many; a pick is complete or refused.
    """

    variant: UUID
    quantity: int


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """Stock that is locked for this transaction and not marked yet.

    Attributes:
        variant, quantity: as asked.
        cards: keys of the locked cards, for `Stock.hand_over` and nobody else; empty for stock that is no
            rows. Numbers rather than UUIDs: picking and handing over 32 of them measured 15 to 20 % faster.
        kind: what the pieces are taken from.
    """

    variant: UUID
    quantity: int
    cards: tuple[int, ...] = ()
    kind: StockKind = "card"


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """A pick that was paid, or is kept for a line.

    Attributes:
        pick: what was locked.
        line: the order line it goes to.
    """

    pick: Pick
    line: UUID


class SoldCard(msgspec.Struct, frozen=True, kw_only=True):
    """A secret of an order line, decrypted for its owner.

    Attributes:
        line: the order line.
        number: the card's public number, if it has one.
        secret: what the buyer came for. Never log it.
        expires_on: the last day on which it can be redeemed, if known, as ISO date.
        sold_at: when it was handed over.
        key: names this card among those of the line, see `RetireRequest`. It tells nothing about other cards.
        retired: whether it was found bad, and replaced or paid back.
    """

    line: UUID
    number: str | None
    secret: str
    expires_on: str | None
    sold_at: datetime
    key: str
    retired: bool = False

    def __repr__(self) -> str:
        # Tracebacks and debuggers show values; this one shows itself to nobody who did not ask for it.
        return f"SoldCard(line={self.line}, number={self.number!r}, secret=***)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("line", self.line), ("number", self.number), ("secret", "***")]


class SoldCost(msgspec.Struct, frozen=True, kw_only=True):
    """What cards that a line got had cost, those of one currency together.

    Attributes:
        line: the order line.
        currency: ISO 4217; None for cards of batches whose cost is not known.
        units: what they cost together, in ten-thousandths of the currency's main unit; 0 where that is not known.
        pieces: how many they are.
    """

    line: UUID
    currency: str | None
    units: int
    pieces: int


class RetireRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Says that a card that was handed over is bad.

    Attributes:
        line: the order line that got it.
        key: `SoldCard.key`.
        reason: why, for people; 1 to 500 characters.
        by: the key of the principal who says so, such as ``staff:0189…``.
    """

    line: UUID
    key: str
    reason: str
    by: str


class Stock(Protocol):
    """Stock on the order path."""

    async def pick(self, requests: Sequence[PickRequest]) -> list[Pick | Refusal]:
        """Lock stock for each request, in order, or answer `OutOfStock`, in the caller's transaction.

        One statement for cards, and a second one where they run short; one more for each of the rarer kinds of stock
        among them. Cards are locked without waiting for others. The counters of `quota` and `reusable` are
        waited for, so nobody is told that nothing is left while somebody else only tries to buy.

        Requests are served in order; who does not get all that he asked for gets nothing, and what was found
        for him is offered to the requests after him.
        """
        ...

    async def hand_over(self, sales: Sequence[Sale]) -> None:
        """Mark picked stock as sold to its lines and write its movements, in the transaction that picked it.

        One statement for cards, one for all other kinds. A line may be handed more later on, such as a
        replacement of what was bad.
        """
        ...

    async def reserve(self, sales: Sequence[Sale], until: datetime) -> None:
        """Keep picked stock for its lines without selling it, in the transaction that picked it. One statement.

        It is kept until `hand_over_reserved` or `release`, whenever they come. A line has one reservation at a time.

        Args:
            sales: what was picked, and for which lines; one for each line.
            until: how long it is meant to be kept; for people, and for a check that finds what was forgotten.
        """
        ...

    async def hand_over_reserved(self, lines: Sequence[UUID]) -> set[UUID]:
        """Sell to lines what is kept for them; answers those whose reservation was still whole. One statement.

        Whole means that none of its cards has expired or was put into quarantine meanwhile. What is kept for the other
        lines is left as it is: `release` it, and `pick` anew.
        """
        ...

    async def release(self, lines: Sequence[UUID]) -> None:
        """Give back what is kept for lines; nothing happens where nothing is. One statement."""
        ...

    async def put_back(self, lines: Sequence[UUID], quantities: Sequence[int] | None = None) -> None:
        """Give back what lines bought of `quota`, `unlimited` and `supplier` and were not delivered. One statement.

        Secrets that were handed over never come back into stock.

        Args:
            lines: which; none twice.
            quantities: how many pieces of each, at most as many as are left of it; each call gives back as many. None: all
                that are left, so that repeated calls are harmless.
        """
        ...

    async def retire(self, cards: Sequence[RetireRequest]) -> None:
        """Mark cards that were handed over as bad; repeated calls are harmless. One statement.

        For a replacement, `pick` and `hand_over` one more to the same line.

        Raises:
            NotFound: one of them was not handed over to its line; the transaction is lost.
        """
        ...

    async def mirror(self, figures: Mapping[UUID, int]) -> None:
        """Write down what suppliers have of variants of the kind `supplier`; others are passed over. One statement."""
        ...

    async def sold_cards(self, lines: Sequence[UUID]) -> list[SoldCard]:
        """The secrets of order lines, decrypted, in the order they were sold: all of them, or an error.

        A line that bought several uses of one reusable secret has it once. The caller has checked who asks.
        One statement.
        """
        ...

    async def costs_of(self, lines: Sequence[UUID]) -> list[SoldCost]:
        """What the cards that lines got had cost by their batches, retired ones included. One statement.

        Stock that is no cards came in no batch and is not among it.
        """
        ...

    async def available(self, variants: Sequence[UUID], at_most: int | None = None) -> Mapping[UUID, int]:
        """How many of each variant can be sold now; 0 for one that does not exist. One statement.

        Args:
            variants: their keys.
            at_most: count no further than this, which makes it cheap; an unlimited variant has this many, or
                `UNLIMITED` without it.
        """
        ...
