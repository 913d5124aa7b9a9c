"""What a process knows of flash sales: enough to tell who asks for one, never whether he gets a piece."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextvars import Context
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng_fulfilment.flash.statements import KNOWN_SALES

if TYPE_CHECKING:
    from kameng.kernel import Kernel

FRESH_SECONDS = 1.0
"""So long what is known is not read again."""

OLDEST_SECONDS = 5.0
"""What is known is never older than this: whoever comes after a pause waits until it is read again."""

NOTICE_SECONDS = 10
"""A sale is planned at least so long before it opens, so that by then every process knows of it."""


class FlashSale(msgspec.Struct, frozen=True, kw_only=True):
    """A flash sale.

    Attributes:
        id, variant: its key, and what is sold.
        holds_from: from here until it opens the variant is not sold.
        opens_at, closes_at: when it is sold, the first moment included, the last not.
        quantity, per_buyer: pieces in all, and for one buyer.
        sold: pieces that were taken when this was read.
    """

    id: UUID
    variant: UUID
    holds_from: datetime
    opens_at: datetime
    closes_at: datetime
    quantity: int
    per_buyer: int
    sold: int


class KnownSales:
    """Remembers the sales that run or will; reads them again every second while somebody asks, and before he does after a pause.

    Args:
        kernel: whose sales.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db
        self._sales: dict[UUID, list[FlashSale]] = {}
        self._until = self._oldest = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._gone: dict[UUID, float] = {}

    async def read(self) -> Mapping[UUID, list[FlashSale]]:
        """The sales by variant, the earliest first."""
        now = time.monotonic()
        if now >= self._until:
            if self._reading is None or self._reading.done():
                # For the process: in no transaction of the request, and not among its statements.
                self._reading = asyncio.create_task(self._read(), context=Context())
            if now >= self._oldest:
                await asyncio.shield(self._reading)
        return self._sales

    def concerns(self, variants: Iterable[UUID]) -> bool:
        """Whether one of them is sold in a flash sale, now or soon, as far as is known."""
        return bool(self._sales) and any(variant in self._sales for variant in variants)

    def sold_out(self, sale: UUID) -> None:
        """Remember for a moment that nothing is left, so that the many who come too late cost little."""
        self._gone[sale] = time.monotonic() + FRESH_SECONDS

    def gone(self, variants: Iterable[UUID]) -> FlashSale | None:
        """A sale of one of them that had nothing left a moment ago."""
        if self._gone:
            now = time.monotonic()
            for variant in variants:
                for sale in self._sales.get(variant, ()):
                    if self._gone.get(sale.id, 0.0) > now:
                        return sale
        return None

    async def _read(self) -> None:
        began = time.monotonic()
        sales: dict[UUID, list[FlashSale]] = {}
        for row in await self._db.fetch(KNOWN_SALES):
            sale = FlashSale(**dict(row.items()))
            sales.setdefault(sale.variant, []).append(sale)
        self._sales = sales
        self._until, self._oldest = began + FRESH_SECONDS, began + OLDEST_SECONDS
        self._gone = {sale: until for sale, until in self._gone.items() if until > time.monotonic()}
