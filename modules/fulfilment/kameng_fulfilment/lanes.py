"""Two desks in one process: buyers of a flash sale queue at their own, so that nobody else waits for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from kameng_fulfilment.desk import OrderDesk
from kameng_fulfilment.flash.admitting import FlashAdmitting
from kameng_fulfilment.flash.known import KnownSales
from kameng_fulfilment.placing import Placing
from kameng_fulfilment.settings import FulfilmentSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_fulfilment.requests import OrderRequest

FLASH_WRITERS = 1
"""All batches of a sale wait for one row, so that a second writer would only hold a connection."""


class OrderLanes:
    """`kameng_fulfilment.services.Orders`: sends each order to its desk.

    Args:
        kernel: whose orders.
    """

    def __init__(self, kernel: Kernel) -> None:
        settings = kernel.settings.section("fulfilment", FulfilmentSettings)
        self._known = kernel.services.get(KnownSales)
        self._ordinary = OrderDesk(Placing(kernel), settings, settings.batch_writers)
        self._flash = OrderDesk(
            Placing(kernel, FlashAdmitting(kernel.db, self._known)), settings, FLASH_WRITERS
        )

    async def place(self, request: OrderRequest) -> UUID:
        """Place an order; see `OrderDesk.place`."""
        await self._known.read()
        in_sale = self._known.concerns(line.variant for line in request.lines)
        return await (self._flash if in_sale else self._ordinary).place(request)

    async def close(self) -> None:
        """Take no more orders and finish those that wait."""
        await asyncio.gather(self._ordinary.close(), self._flash.close())
