"""How a cart stands at this moment: what each line costs now and why, and what has changed since it was added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import strawberry

from kameng.errors import Refusal
from kameng.money import Money, UnitPrice
from kameng_catalog.contract import (
    FormAnswerWrong,
    Prices,
    Quote,
    QuoteRequest,
    Stock,
    Variants,
    VariantSnapshot,
    checked_answers,
)
from kameng_fulfilment.cart.answers import open_answers
from kameng_fulfilment.cart.left_out import LeftOut, shown
from kameng_fulfilment.cart.owners import CartOwner
from kameng_fulfilment.cart.statements import MEMBER_CART_LINES, VISITOR_CART_LINES
from kameng_fulfilment.requests import LineRequest

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@strawberry.enum(description="What a buyer should know of a line of his cart.")
class CartNoteCode(Enum):
    """What a buyer should know of a line of his cart."""

    NOT_FOR_SALE = strawberry.enum_value(
        "NOT_FOR_SALE", description="It is not sold any more, or not in this currency."
    )
    WRONG_QUANTITY = strawberry.enum_value(
        "WRONG_QUANTITY", description="One order may hold more or less of it than this."
    )
    OUT_OF_STOCK = strawberry.enum_value("OUT_OF_STOCK", description="There is less of it than this.")
    FORM_CHANGED = strawberry.enum_value(
        "FORM_CHANGED", description="What has to be filled in for it has changed; add it anew."
    )
    PRICE_UP = strawberry.enum_value("PRICE_UP", description="It costs more than when it was put there.")
    PRICE_DOWN = strawberry.enum_value("PRICE_DOWN", description="It costs less than when it was put there.")


BLOCKING = frozenset(
    {
        CartNoteCode.NOT_FOR_SALE,
        CartNoteCode.WRONG_QUANTITY,
        CartNoteCode.OUT_OF_STOCK,
        CartNoteCode.FORM_CHANGED,
    }
)
"""With one of these a line cannot be ordered as it is."""


class StandingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it stands.

    Attributes:
        id, variant, quantity, added_at: as stored.
        answers: what was filled into the product's form.
        seen: what one cost when the line was last changed.
        snapshot: the variant as it is now; None where it is gone.
        quote: what it costs now; None where it has no price.
        available: how many there are, counted no further than the quantity.
        notes: what the buyer should know.
    """

    id: UUID
    variant: UUID
    quantity: int
    added_at: datetime
    answers: dict[str, str]
    seen: UnitPrice | None
    snapshot: VariantSnapshot | None
    quote: Quote | None
    available: int
    notes: tuple[CartNoteCode, ...]


class StandingCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as it stands.

    Attributes:
        currency: what it is priced in.
        lines: in the order in which they were added.
        left_out: what did not come along when a visitor's cart joined this one, the oldest first.
    """

    currency: str
    lines: tuple[StandingLine, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def total(self) -> Money:
        """What the lines that have a price cost together."""
        return Money(sum(line.quote.total.minor for line in self.lines if line.quote), self.currency)

    @property
    def ready(self) -> bool:
        """Whether it can be ordered as it is."""
        return bool(self.lines) and not any(BLOCKING.intersection(line.notes) for line in self.lines)


async def stored_lines(kernel: Kernel, owner: CartOwner | None) -> list[Mapping[str, Any]]:
    """The rows of somebody's cart. At most one statement."""
    if owner is None:
        return []
    if owner.member is not None:
        return list(await kernel.db.fetch(MEMBER_CART_LINES, owner.member))
    return list(await kernel.db.fetch(VISITOR_CART_LINES, owner.visitor))


async def cart_request(kernel: Kernel, owner: CartOwner) -> tuple[UUID, list[LineRequest]] | None:
    """A cart as an order asks for it: its key and its lines; None where it is empty. At most one statement."""
    rows = await stored_lines(kernel, owner)
    if not rows:
        return None
    answers = await open_answers(kernel, rows)
    lines = [
        LineRequest(row["variant"], row["quantity"], tuple(sorted(answers.get(row["id"], {}).items())))
        for row in rows
    ]
    return rows[0]["cart"], lines


async def standing_cart(
    kernel: Kernel, owner: CartOwner | None, tier: str, currency: str, site: str = ""
) -> StandingCart:
    """A cart as it stands. At most four statements, and one more for data keys that are not known yet.

    Args:
        kernel: where to look.
        owner: whose cart; None has none.
        tier: whose prices.
        currency: in which currency.
        site: in which shop.
    """
    rows = await stored_lines(kernel, owner)
    if not rows:
        return StandingCart(currency=currency, lines=())
    services = kernel.services
    variants = [row["variant"] for row in rows]
    answers = await open_answers(kernel, rows)
    snapshots = await services.get(Variants).snapshots(variants)
    quotes = await services.get(Prices).quote(
        [
            QuoteRequest(
                variant=row["variant"], quantity=row["quantity"], tier=tier, currency=currency, site=site
            )
            for row in rows
        ]
    )
    most = max(row["quantity"] for row in rows)
    available = await services.get(Stock).available(variants, most)
    lines = tuple(
        _standing(row, answers.get(row["id"], {}), snapshot, quote, available.get(row["variant"], 0))
        for row, snapshot, quote in zip(rows, snapshots, quotes, strict=True)
    )
    return StandingCart(currency=currency, lines=lines, left_out=tuple(shown(rows[0]["left_out"])))


def _standing(
    row: Mapping[str, Any],
    answers: dict[str, str],
    snapshot: VariantSnapshot | None,
    quote: Quote | Refusal,
    available: int,
) -> StandingLine:
    seen = UnitPrice(row["unit_price"], row["currency"]) if row["unit_price"] is not None else None
    priced = None if isinstance(quote, Refusal) else quote
    return StandingLine(
        id=row["id"],
        variant=row["variant"],
        quantity=row["quantity"],
        added_at=row["added_at"],
        answers=answers,
        seen=seen,
        snapshot=snapshot,
        quote=priced,
        available=min(available, row["quantity"]),
        notes=tuple(_notes(row["quantity"], answers, seen, snapshot, priced, available)),
    )


def _notes(
    quantity: int,
    answers: dict[str, str],
    seen: UnitPrice | None,
    snapshot: VariantSnapshot | None,
    quote: Quote | None,
    available: int,
) -> Sequence[CartNoteCode]:
    if snapshot is None or not snapshot.published or quote is None:
        return [CartNoteCode.NOT_FOR_SALE]
    notes = []
    if not snapshot.min_quantity <= quantity <= snapshot.max_quantity:
        notes.append(CartNoteCode.WRONG_QUANTITY)
    if available < quantity:
        notes.append(CartNoteCode.OUT_OF_STOCK)
    try:
        checked_answers(snapshot.form, answers)
    except FormAnswerWrong:
        notes.append(CartNoteCode.FORM_CHANGED)
    if seen is not None and seen.currency == quote.unit.currency and seen.units != quote.unit.units:
        up = quote.unit.units > seen.units
        notes.append(CartNoteCode.PRICE_UP if up else CartNoteCode.PRICE_DOWN)
    return notes
