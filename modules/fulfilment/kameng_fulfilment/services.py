"""The services that fulfilment makes for itself: the order desks of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from kameng_fulfilment.lanes import OrderLanes

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


def open_desk(kernel: Kernel) -> OrderLanes:
    """The order desks of a kernel."""
    return OrderLanes(kernel)


async def close_desk(kernel: Kernel) -> None:
    """Finish what waits, when a process stops."""
    await kernel.services.get(Orders).close()
