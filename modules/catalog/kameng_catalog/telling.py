"""Telling the staff of stock that runs low."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.module import NotificationKind
from kameng.notify import Notifications
from kameng_catalog.permissions import MANAGE_STOCK

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_catalog.events import StockLow

STOCK_LOW = NotificationKind(
    name="stock_low",
    title_en="Stock runs low",
    title_zh="库存不足",
    templates="kameng_catalog:notifications",
    staff=MANAGE_STOCK.name,
)


async def tell_stock_low(kernel: Kernel, event: StockLow) -> None:
    """Tell whoever looks after the stock, once for each time that it fell below its threshold."""
    notifications = kernel.services.find(Notifications)
    if notifications is None:
        return
    # The time of this transaction is this occasion's: the event is handled once in its effects.
    at = await kernel.db.fetchval("select now()")
    await notifications.tell_staff(
        "catalog.stock_low",
        f"{event.variant}:{at.isoformat()}",
        {
            "sku": event.sku,
            "available": event.available,
            "threshold": event.threshold,
            "url": f"{kernel.settings.public_url}/admin",
        },
    )
