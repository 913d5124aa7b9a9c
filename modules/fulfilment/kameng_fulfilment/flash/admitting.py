"""Who of a batch gets pieces of a flash sale: decided under the sale's lock, booked with the orders or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import Database
from kameng.errors import Refusal
from kameng_fulfilment.drafts import DraftOrder, at_line
from kameng_fulfilment.flash.statements import BOOK_PURCHASES, LOCK_SALES, TAKEN_BY_BUYERS
from kameng_fulfilment.guests.placing import guest_of

if TYPE_CHECKING:
    from asyncpg import Record

    from kameng_fulfilment.flash.known import KnownSales


class FlashSaleNotOpen(Refusal):
    """The flash sale has not begun, and until then the variant is not sold."""

    code = "FLASH_SALE_NOT_OPEN"


class FlashSaleSoldOut(Refusal):
    """All pieces of the flash sale are taken."""

    code = "FLASH_SALE_SOLD_OUT"


class FlashSaleLimit(Refusal):
    """The buyer would get more pieces than the flash sale gives one buyer."""

    code = "FLASH_SALE_LIMIT"


class Admission:
    """What a batch took of its sales, as long as its transaction lasts.

    Attributes:
        refused: why an order got nothing, by its place in the batch.
    """

    def __init__(self, sales: dict[UUID, Record], taken: dict[tuple[UUID, UUID], int]) -> None:
        self._sales = sales
        self._taken = taken
        self._asked: Counter[UUID] = Counter()
        self._short: dict[int, tuple[UUID, int]] = {}
        self.refused: dict[int, Refusal] = {}

    def admit(self, order: DraftOrder) -> None:
        """Give the order what it asks for, or note why not: all of its lines, or none."""
        wanted: list[tuple[UUID, int]] = []
        for index, line in enumerate(order.lines):
            sale = self._sales.get(line.variant.id)
            if sale is None:
                continue
            refusal = self._refusal(sale, order, line.quantity)
            if refusal is not None:
                self.refused[order.place] = at_line(refusal, index)
                return
            wanted.append((sale["id"], line.quantity))
        for key, quantity in wanted:
            self._asked[key] += quantity
            buyer = (key, order.request.member)
            self._taken[buyer] = self._taken.get(buyer, 0) + quantity

    def _refusal(self, sale: Record, order: DraftOrder, quantity: int) -> Refusal | None:
        if sale["at"] < sale["opens_at"]:
            return FlashSaleNotOpen(
                f"This is sold from {sale['opens_at'].isoformat()} on.", cure="Come back then."
            )
        if guest_of(order.request):
            # A guest is somebody new with each order: nobody could tell what he has already.
            return FlashSaleLimit("Flash sales are for members.", cure="Register or log in, and order then.")
        taken = self._taken.get((sale["id"], order.request.member), 0)
        if taken + quantity > sale["per_buyer"]:
            return FlashSaleLimit(
                f"One buyer gets {sale['per_buyer']} of this; you have {taken}.",
                cure="Leave the rest to others.",
            )
        if sale["sold"] + self._asked[sale["id"]] + quantity > sale["quantity"]:
            self._short[order.place] = (sale["id"], quantity)
            return FlashSaleSoldOut("All pieces of this flash sale are taken.", cure="Choose something else.")
        return None

    def lines(self, orders: Sequence[DraftOrder]) -> list[tuple[UUID, UUID, UUID, int]]:
        """What these orders take: line, sale, buyer and pieces."""
        return [
            (line.id, self._sales[line.variant.id]["id"], order.request.member, line.quantity)
            for order in orders
            for line in order.lines
            if line.variant.id in self._sales
        ]

    def left(self, booked: Sequence[tuple[UUID, UUID, UUID, int]]) -> tuple[list[int], list[UUID]]:
        """Places that were refused and could have pieces which others left unpaid; and the sales with nothing left."""
        sold: Counter[UUID] = Counter()
        for _, sale, _, quantity in booked:
            sold[sale] += quantity
        free = {row["id"]: row["quantity"] - row["sold"] - sold[row["id"]] for row in self._sales.values()}
        again = [place for place, (sale, quantity) in self._short.items() if free[sale] >= quantity]
        return again, [sale for sale, pieces in free.items() if pieces <= 0]


class FlashAdmitting:
    """Takes orders of a batch to their sales.

    Args:
        db: the database.
        known: what this process knows of sales.
    """

    def __init__(self, db: Database, known: KnownSales) -> None:
        self._db = db
        self._known = known

    def late(self, variants: Sequence[UUID]) -> Refusal | None:
        """The refusal of somebody who comes when nothing was left a moment ago."""
        if self._known.gone(variants) is None:
            return None
        return FlashSaleSoldOut("All pieces of this flash sale are taken.", cure="Choose something else.")

    async def admit(self, orders: Sequence[DraftOrder]) -> Admission | None:
        """Lock the sales of these orders and decide, order by order; None where no sale is concerned. Two statements at most.

        It knows of every sale that could be open, since sales are planned before they open.
        """
        variants = [line.variant.id for order in orders for line in order.lines]
        if not self._known.concerns(variants):
            return None
        rows = await self._db.fetch(LOCK_SALES, sorted(set(variants)))
        if not rows:
            return None
        sales = {row["variant"]: row for row in rows}
        buyers = sorted({order.request.member for order in orders})
        # Read after the lock was granted: whoever held it has booked by now.
        taken = await self._db.fetch(TAKEN_BY_BUYERS, [row["id"] for row in rows], buyers)
        admission = Admission(sales, {(row["sale"], row["buyer"]): row["quantity"] for row in taken})
        for order in orders:
            admission.admit(order)
        return admission

    async def book(self, admission: Admission, paid: Sequence[DraftOrder]) -> list[int]:
        """Book what those took who are written now; gives the places that are worth another try. One statement."""
        booked = admission.lines(paid)
        if booked:
            await self._db.execute(BOOK_PURCHASES, *map(list, zip(*booked, strict=True)))
        again, gone = admission.left(booked)
        for sale in gone:
            self._known.sold_out(sale)
        return again
