"""What was left out when a visitor's cart joined a member's: kept with the cart, so that whoever looks at it next is told.

The moment of joining may be any request after the log-in, such as one that shows a number on a button. So the note waits in
the cart for a day, until it is dismissed, or the cart is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec
import strawberry

MOST = 50
"""Notes that a cart keeps, the newest of them."""

SHOWN = timedelta(days=1)
"""So long a note is shown."""


@strawberry.enum(description="Why something did not come along when carts were put together.")
class LeftOutReason(Enum):
    """Why something did not come along."""

    CART_FULL = strawberry.enum_value(
        "CART_FULL", description="The cart has as many lines as one order may have."
    )
    TOO_MANY = strawberry.enum_value("TOO_MANY", description="One order may not hold so many of it.")
    NOT_FOR_SALE = strawberry.enum_value("NOT_FOR_SALE", description="It is not sold any more.")


class LeftOut(msgspec.Struct, frozen=True):
    """Pieces that did not come along.

    Attributes:
        variant: of which variant.
        quantity: how many pieces.
        reason: a `LeftOutReason`, by its value.
        titles: what it was called then, by locale; empty where it was gone.
        at: when.
    """

    variant: UUID
    quantity: int
    reason: str
    titles: dict[str, str]
    at: datetime


_notes = msgspec.json.Decoder(list[LeftOut])


def note(
    before: str | None, pieces: Sequence[tuple[UUID, int, str]], titles: Mapping[UUID, Mapping[str, str]]
) -> str:
    """The notes of a cart with those of another joining added, as they are stored.

    Args:
        before: what is stored.
        pieces: variant, quantity and reason of what was left out now.
        titles: titles of the variants that are there, by locale.
    """
    now = datetime.now(UTC)
    added = [
        LeftOut(variant, quantity, reason, dict(titles.get(variant, {})), now)
        for variant, quantity, reason in pieces
    ]
    return msgspec.json.encode([*shown(before), *added][-MOST:]).decode()


def shown(stored: Any) -> list[LeftOut]:
    """The notes of a cart that are still to be shown."""
    if not stored:
        return []
    newest = datetime.now(UTC) - SHOWN
    return [left for left in _notes.decode(stored) if left.at > newest]
