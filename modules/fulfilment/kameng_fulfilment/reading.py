"""Orders as requests read them: what is asked for in one moment, by whomever, is read by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import Together
from kameng_catalog.contract import SoldCard, Stock
from kameng_fulfilment.history import StoredEntry, history_of_orders
from kameng_fulfilment.life_statements import TEXTS_OF_LINES
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders, orders_by_id, text_place
from kameng_fulfilment.ticket_reading import StoredTicket, tickets_of_orders

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class OrderReads:
    """What requests read of orders, those of one moment together. Whoever shows it checks who may see it.

    Args:
        kernel: whose orders.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db
        self._vault = kernel.vault
        self._stock = kernel.services.get(Stock)
        self._orders = Together(kernel.db, self._read_orders)
        self._lines = Together(kernel.db, self._read_lines)
        self._cards = Together(kernel.db, self._read_cards)
        self._texts = Together(kernel.db, self._read_texts)
        self._history = Together(kernel.db, self._read_history)
        self._tickets = Together(kernel.db, self._read_tickets)

    async def orders(self, keys: Sequence[UUID]) -> list[StoredOrder | None]:
        """Orders by key; None where there is none."""
        found = await self._orders.read(keys)
        return [found.get(key) for key in keys]

    async def lines(self, order: UUID) -> list[StoredLine]:
        """The lines of an order, in order."""
        return (await self._lines.read([order])).get(order, [])

    async def cards(self, line: UUID) -> list[SoldCard]:
        """The cards that a line delivered, decrypted."""
        return (await self._cards.read([line])).get(line, [])

    async def texts(self, line: UUID) -> list[str]:
        """What people or suppliers delivered for a line, decrypted, in order."""
        return (await self._texts.read([line])).get(line, [])

    async def history(self, order: UUID) -> list[StoredEntry]:
        """What happened to an order, the oldest first."""
        return (await self._history.read([order])).get(order, [])

    async def tickets(self, order: UUID) -> list[StoredTicket]:
        """The tickets about an order's cards, the oldest first."""
        return (await self._tickets.read([order])).get(order, [])

    async def _read_orders(self, keys: Sequence[UUID]) -> Mapping[UUID, StoredOrder]:
        return await orders_by_id(self._db, keys)

    async def _read_lines(self, orders: Sequence[UUID]) -> Mapping[UUID, list[StoredLine]]:
        return await lines_of_orders(self._db, orders)

    async def _read_texts(self, lines: Sequence[UUID]) -> Mapping[UUID, list[str]]:
        rows = await self._db.fetch(TEXTS_OF_LINES, list(lines))
        texts = await self._vault.open_many(
            [(row["data_key"], row["sealed"], text_place(row["line"], row["id"])) for row in rows]
        )
        found: dict[UUID, list[str]] = {}
        for row, text in zip(rows, texts, strict=True):
            found.setdefault(row["line"], []).append(text.decode())
        return found

    async def _read_history(self, orders: Sequence[UUID]) -> Mapping[UUID, list[StoredEntry]]:
        return await history_of_orders(self._db, orders)

    async def _read_tickets(self, orders: Sequence[UUID]) -> Mapping[UUID, list[StoredTicket]]:
        return await tickets_of_orders(self._db, orders)

    async def _read_cards(self, lines: Sequence[UUID]) -> Mapping[UUID, list[SoldCard]]:
        found: dict[UUID, list[SoldCard]] = {}
        for card in await self._stock.sold_cards(lines):
            found.setdefault(card.line, []).append(card)
        return found
