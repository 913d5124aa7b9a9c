"""Changing a cart: each change once for its idempotency key, one after the other, at a cost that does not grow with the cart."""

from __future__ import annotations

from collections.abc import Sequence
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
from kameng_fulfilment.cart.answers import SealedAnswers, seal_answers
from kameng_fulfilment.cart.owners import CartOwner
from kameng_fulfilment.cart.refusals import CartFull
from kameng_fulfilment.cart.statements import (
    ADD_LINES,
    CHANGE_LINES,
    CLEAR_CART,
    LINE_OF_CART,
    LINES_OF_VARIANTS,
    REMEMBER_KEY,
    REMOVE_LINE,
    TAKE_MEMBER_CART,
    TAKE_VISITOR_CART,
)
from kameng_fulfilment.drafts import answer_at
from kameng_fulfilment.requests import MAX_LINES, LineRequest, check_lines

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_KEY_BYTES = 16
_KEYS_KEPT = 32


class CartChange(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes a cart, and how he pays.

    Attributes:
        owner: whose cart.
        tier, site: whose prices he sees, and in which shop.
        currency: what he pays in.
        key: the idempotency key; None carries the change out whenever it comes.
    """

    owner: CartOwner
    tier: str
    currency: str = "CNY"
    site: str = ""
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

    async def add(self, change: CartChange, lines: Sequence[LineRequest]) -> None:
        """Put lines into a cart; what is there of them already grows. Nine statements at most, whatever is in the cart.

        Raises:
            NotForSale: something is not sold, or has no price for this buyer.
            WrongQuantity: one order may not hold so many, with those that are there.
            FormAnswerWrong: a product's form is not filled in as it should be.
            CartFull: it would be more lines than one order may have.
            InvalidInput: there are no lines, too many, or a variant twice.
        """
        check_lines(lines)
        found = await self._for_sale([line.variant for line in lines])
        for place, (line, variant) in enumerate(zip(lines, found, strict=True)):
            if line.quantity < 1:
                raise _wrong_quantity(variant, line.quantity, _at(place))
            _check_filled_in(variant, line.answers, _at(place))
        sealed = await seal_answers(self._kernel, [dict(line.answers) for line in lines])
        async with self._db.transaction():
            cart, fresh = await self._take(change)
            if not fresh:
                return
            rows = await self._db.fetch(LINES_OF_VARIANTS, cart, [line.variant for line in lines])
            known = {row["variant"]: row for row in rows}
            quantities = []
            for place, (line, variant) in enumerate(zip(lines, found, strict=True)):
                there = known[line.variant]["quantity"] if line.variant in known else 0
                together = line.quantity + there
                if together > variant.max_quantity or (not there and together < variant.min_quantity):
                    raise _wrong_quantity(variant, together, _at(place))
                quantities.append(together)
            wanted = [(line.variant, count) for line, count in zip(lines, quantities, strict=True)]
            units = await self._unit_prices(change, wanted)
            stored = list(zip(lines, quantities, units, sealed, strict=True))
            await self._change_known(
                change, [(known[row[0].variant]["id"], *row[1:]) for row in stored if row[0].variant in known]
            )
            await self._add_new(
                change, cart, [(row[0].variant, *row[1:]) for row in stored if row[0].variant not in known]
            )

    async def change(
        self, change: CartChange, line: UUID, quantity: int, answers: Sequence[tuple[str, str]] | None = None
    ) -> None:
        """Set a line's quantity, and its answers if some are given; 0 takes it out.

        Raises:
            NotFound: the cart has no such line.
            NotForSale, WrongQuantity, FormAnswerWrong: as `add`.
        """
        if quantity == 0:
            await self.remove(change, line)
            return
        (sealed,) = await seal_answers(self._kernel, [dict(answers or ())])
        async with self._db.transaction():
            cart, fresh = await self._take(change)
            if not fresh:
                return
            known = await self._db.fetchrow(LINE_OF_CART, cart, line)
            if known is None:
                raise NotFound(
                    "The cart has no such line.", cure="Load the cart again.", path=("input", "lineId")
                )
            (found,) = await self._for_sale([known["variant"]])
            if not found.min_quantity <= quantity <= found.max_quantity:
                raise _wrong_quantity(found, quantity, ("input",))
            if answers:
                _check_filled_in(found, answers, ("input",))
            (unit,) = await self._unit_prices(change, [(known["variant"], quantity)])
            await self._change_known(change, [(line, quantity, unit, sealed)])

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

    async def _for_sale(self, variants: Sequence[UUID]) -> list[VariantSnapshot]:
        found = []
        for place, snapshot in enumerate(await self._variants.snapshots(variants)):
            if snapshot is None or not snapshot.published:
                raise NotForSale(
                    "This is not for sale.", cure="Choose something else.", path=(*_at(place), "variantId")
                )
            found.append(snapshot)
        return found

    async def _unit_prices(self, change: CartChange, wanted: Sequence[tuple[UUID, int]]) -> list[int]:
        quotes = await self._prices.quote(
            [
                QuoteRequest(
                    variant=variant,
                    quantity=quantity,
                    tier=change.tier,
                    currency=change.currency,
                    site=change.site,
                )
                for variant, quantity in wanted
            ]
        )
        units = []
        for place, quote in enumerate(quotes):
            if isinstance(quote, Refusal):
                raise type(quote)(quote.message, cure=quote.cure, path=_at(place))
            units.append(quote.unit.units)
        return units

    async def _change_known(
        self, change: CartChange, rows: Sequence[tuple[UUID, int, int, SealedAnswers]]
    ) -> None:
        if rows:
            ids, quantities, units, sealed = zip(*rows, strict=True)
            await self._db.execute(
                CHANGE_LINES,
                list(ids),
                list(quantities),
                list(units),
                [own.sealed for own in sealed],
                [own.data_key for own in sealed],
                [own.place for own in sealed],
                change.currency,
            )

    async def _add_new(
        self, change: CartChange, cart: UUID, rows: Sequence[tuple[UUID, int, int, SealedAnswers]]
    ) -> None:
        if not rows:
            return
        variants, quantities, units, sealed = zip(*rows, strict=True)
        answer = await self._db.execute(
            ADD_LINES,
            cart,
            [new_id() for _ in rows],
            list(variants),
            list(quantities),
            list(units),
            [own.sealed for own in sealed],
            [own.data_key for own in sealed],
            change.currency,
            [own.place for own in sealed],
            MAX_LINES,
        )
        if answer != f"INSERT 0 {len(rows)}":
            raise CartFull(
                f"A cart has {MAX_LINES} lines at most, as many as one order may.",
                cure="Order what is in it first, or take something out.",
            )


def _at(place: int) -> tuple[str, ...]:
    return "input", "lines", str(place)


def _wrong_quantity(found: VariantSnapshot, quantity: int, where: tuple[str, ...]) -> WrongQuantity:
    return WrongQuantity(
        f"{found.sku} is sold in quantities of {found.min_quantity} to {found.max_quantity}; this would be {quantity}.",
        cure="Change the quantity, or place several orders.",
        path=(*where, "quantity"),
    )


def _check_filled_in(
    found: VariantSnapshot, answers: Sequence[tuple[str, str]], where: tuple[str, ...]
) -> None:
    # Kept as they were typed: the order checks them once more, against the form as it is then.
    try:
        checked_answers(found.form, dict(answers))
    except FormAnswerWrong as wrong:
        raise FormAnswerWrong(
            wrong.message, cure=wrong.cure, path=(*where, *answer_at(answers, wrong.path[0]))
        ) from wrong
