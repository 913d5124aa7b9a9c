"""The services that fulfilment makes for itself: one order desk for each process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from kameng_fulfilment.desk import OrderDesk
from kameng_fulfilment.settings import FulfilmentSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_fulfilment.requests import OrderRequest


class Orders(Protocol):
    """Placing orders."""

    async def place(self, request: OrderRequest) -> UUID:
        """Place an order that is paid from the buyer's wallet; see `kameng_fulfilment.desk.OrderDesk.place`."""
        ...

    async def close(self) -> None:
        """Take no more orders and finish those that wait."""
        ...


def open_desk(kernel: Kernel) -> OrderDesk:
    """The order desk of a kernel."""
    return OrderDesk(kernel, kernel.settings.section("fulfilment", FulfilmentSettings))


async def close_desk(kernel: Kernel) -> None:
    """Finish what waits, when a process stops."""
    await kernel.services.get(Orders).close()
