"""What suppliers bring to the module's declaration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from kameng.module import Handler, Permission, Provide, Task
from kameng_fulfilment.events import OrderPaid, OrderReleased
from kameng_fulfilment.suppliers.callbacks import supplier_callback
from kameng_fulfilment.suppliers.events import SupplierOrderNeedsAttention
from kameng_fulfilment.suppliers.mirroring import mirror_stock
from kameng_fulfilment.suppliers.statements import SUPPLIED
from kameng_fulfilment.suppliers.working import SupplierWork, supply

if TYPE_CHECKING:
    from kameng.kernel import Kernel

READ_SUPPLIERS: Final = "fulfilment.read_suppliers"
"""The permission to see accounts with suppliers, offers and orders there; no secrets, no codes."""

MANAGE_SUPPLIERS: Final = "fulfilment.manage_suppliers"
"""The permission to change accounts with suppliers and offers."""

SETTLE_SUPPLIER_ORDERS: Final = "fulfilment.settle_supplier_orders"
"""The permission to decide about orders at suppliers by hand, and to see codes that could not be delivered."""


async def supply_paid(kernel: Kernel, events: Sequence[OrderPaid | OrderReleased]) -> None:
    """Paid, or released: have a worker order at suppliers what they deliver."""
    if await kernel.db.fetchval(SUPPLIED, [UUID(event.order) for event in events]):
        await kernel.tasks.enqueue("fulfilment.supply")


PROVIDES = (Provide(SupplierWork, SupplierWork),)
EVENTS = (SupplierOrderNeedsAttention,)
HANDLERS = (
    Handler(name="supply_paid", event=OrderPaid, call=supply_paid, batch=True),
    Handler(name="supply_released", event=OrderReleased, call=supply_paid, batch=True),
)
TASKS = (
    Task(name="supply", call=supply, every=timedelta(seconds=15)),
    Task(name="mirror_stock", call=mirror_stock, every=timedelta(minutes=5), attempts=1),
)
ROUTES = (supplier_callback,)
PERMISSIONS = (
    Permission(READ_SUPPLIERS, "See suppliers, their offers and orders there", "查看供应商、货源与上游订单"),
    Permission(MANAGE_SUPPLIERS, "Manage accounts with suppliers and offers", "管理供应商账户与货源"),
    Permission(
        SETTLE_SUPPLIER_ORDERS,
        "Decide about orders at suppliers by hand, and see what could not be delivered",
        "人工处理上游订单，查看未能交付的内容",
    ),
)
