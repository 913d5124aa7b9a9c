"""Changing a cart: each change once for its idempotency key, one after the other, at a cost that does not grow with the cart."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.errors import NotFound, Refusal
from kameng.ids import new_id
from kameng_catalog.contract import (
    FormAnswerWrong,
    NotForSale,
    Prices,
    QuoteRequest,
    Variants,
    VariantSnapshot,
    WrongQuantity,
    checked_answers,
)
from kameng_fulfilment.cart.answers import seal_answers
from kameng_fulfilment.cart.owners import CartOwner
from kameng_fulfilment.cart.refusals import CartFull
from kameng_fulfilment.cart.statements import (
    ADD_LINE,
    CHANGE_LINE,
    CLEAR_CART,
    LINE_OF_CART,
    LINE_OF_VARIANT,
    REMEMBER_KEY,
    REMOVE_LINE,
    TAKE_MEMBER_CART,
    TAKE_VISITOR_CART,
)
from kameng_fulfilment.requests import MAX_LINES

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_KEY_BYTES = 16
_KEYS_KEPT = 32


class CartChange(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes a cart, and how he pays.

    Attributes:
        owner: whose cart.
        tier: whose prices he sees.
        currency: what he pays in.
        key: the idempotency key; None carries the change out whenever it comes.
    """

    owner: CartOwner
    tier: str
    currency: str = "CNY"
    key: str | None = None


class CartChanges:
    """Changes carts.

    Args:
        kernel: whose carts.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._db = kernel.db
        self._variants = kernel.services.get(Variants)
        self._prices = kernel.services.get(Prices)

    async def add(
        self, change: CartChange, variant: UUID, quantity: int, answers: Mapping[str, str] | None
    ) -> None:
        """Put a variant into a cart; what is there of it already grows. Seven statements at most, whatever is in the cart.

        Raises:
            NotForSale: it is not sold, or has no price for this buyer.
            WrongQuantity: one order may not hold so many, with those that are there.
            FormAnswerWrong: the product's form is not filled in as it should be.
            CartFull: as many different variants as one order may have are there.
        """
        (snapshot,) = await self._variants.snapshots([variant])
        found = _for_sale(snapshot)
        if quantity < 1:
            raise _wrong_quantity(found, quantity)
        _check_filled_in(found, answers)
        sealed = await seal_answers(self._kernel, answers)
        async with self._db.transaction():
            cart, fresh = await self._take(change)
            if not fresh:
                return
            known = await self._db.fetchrow(LINE_OF_VARIANT, cart, variant)
            together = quantity + (known["quantity"] if known else 0)
            if together > found.max_quantity or (known is None and together < found.min_quantity):
                raise _wrong_quantity(found, together)
            unit = await self._unit_price(change, variant, together)
            stored = (together, change.currency, unit, sealed.sealed, sealed.data_key, sealed.place)
            if known is not None:
                await self._db.execute(CHANGE_LINE, known["id"], *stored)
            elif (
                await self._db.execute(ADD_LINE, new_id(), cart, variant, *stored, MAX_LINES) != "INSERT 0 1"
            ):
                raise CartFull(
                    f"The cart has {MAX_LINES} lines, as many as one order may.",
                    cure="Order what is in it first, or take something out.",
                )

    async def change(
        self, change: CartChange, line: UUID, quantity: int, answers: Mapping[str, str] | None = None
    ) -> None:
        """Set a line's quantity, and its answers if some are given; 0 takes it out.

        Raises:
            NotFound: the cart has no such line.
            NotForSale, WrongQuantity, FormAnswerWrong: as `add`.
        """
        if quantity == 0:
            await self.remove(change, line)
            return
        sealed = await seal_answers(self._kernel, answers)
        async with self._db.transaction():
            cart, fresh = await self._take(change)
            if not fresh:
                return
            known = await self._db.fetchrow(LINE_OF_CART, cart, line)
            if known is None:
                raise NotFound(
                    "The cart has no such line.", cure="Load the cart again.", path=("input", "lineId")
                )
            (snapshot,) = await self._variants.snapshots([known["variant"]])
            found = _for_sale(snapshot)
            if not found.min_quantity <= quantity <= found.max_quantity:
                raise _wrong_quantity(found, quantity)
            if answers:
                _check_filled_in(found, answers)
            unit = await self._unit_price(change, known["variant"], quantity)
            await self._db.execute(
                CHANGE_LINE,
                line,
                quantity,
                change.currency,
                unit,
                sealed.sealed,
                sealed.data_key,
                sealed.place,
            )

    async def remove(self, change: CartChange, line: UUID) -> None:
        """Take a line out; nothing happens where it is not there."""
        async with self._db.transaction():
            cart, fresh = await self._take(change)
            if fresh:
                await self._db.execute(REMOVE_LINE, cart, line)

    async def clear(self, change: CartChange) -> None:
        """Take everything out."""
        async with self._db.transaction():
            cart, fresh = await self._take(change)
            if fresh:
                await self._db.execute(CLEAR_CART, cart)

    async def _take(self, change: CartChange) -> tuple[UUID, bool]:
        """Lock the owner's cart; its key, and whether the change was not carried out before."""
        owner = change.owner
        row = await (
            self._db.fetchrow(TAKE_MEMBER_CART, new_id(), owner.member)
            if owner.member is not None
            else self._db.fetchrow(TAKE_VISITOR_CART, new_id(), owner.visitor)
        )
        assert row is not None  # noqa: S101 - it is made where it is not there
        cart: UUID = row["id"]
        if change.key is None:
            return cart, True
        mark = sha256(change.key.encode()).digest()[:_KEY_BYTES]
        recent: bytes = row["recent_keys"]
        if any(recent[start : start + _KEY_BYTES] == mark for start in range(0, len(recent), _KEY_BYTES)):
            return cart, False
        await self._db.execute(REMEMBER_KEY, cart, (recent + mark)[-_KEY_BYTES * _KEYS_KEPT :])
        return cart, True

    async def _unit_price(self, change: CartChange, variant: UUID, quantity: int) -> int:
        (quote,) = await self._prices.quote(
            [QuoteRequest(variant=variant, quantity=quantity, tier=change.tier, currency=change.currency)]
        )
        if isinstance(quote, Refusal):
            raise quote
        return quote.unit.units


def _for_sale(snapshot: VariantSnapshot | None) -> VariantSnapshot:
    if snapshot is None or not snapshot.published:
        raise NotForSale("This is not for sale.", cure="Choose something else.", path=("input", "variantId"))
    return snapshot


def _wrong_quantity(found: VariantSnapshot, quantity: int) -> WrongQuantity:
    return WrongQuantity(
        f"{found.sku} is sold in quantities of {found.min_quantity} to {found.max_quantity}; this would be {quantity}.",
        cure="Change the quantity, or place several orders.",
        path=("input", "quantity"),
    )


def _check_filled_in(found: VariantSnapshot, answers: Mapping[str, str] | None) -> None:
    # Kept as they were typed: the order checks them once more, against the form as it is then.
    try:
        checked_answers(found.form, dict(answers or {}))
    except FormAnswerWrong as wrong:
        path = ("input", "answers", *wrong.path)
        for place, name in enumerate(answers or ()):
            if (name,) == wrong.path:
                path = ("input", "answers", str(place), "value")
        raise FormAnswerWrong(wrong.message, cure=wrong.cure, path=path) from wrong
