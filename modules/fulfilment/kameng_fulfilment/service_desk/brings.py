"""What the service desk brings to the module's declaration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from kameng.module import Handler, Permission, Task
from kameng_fulfilment.events import OrderPaid
from kameng_fulfilment.service_desk.events import ServiceOverdue
from kameng_fulfilment.service_desk.statements import CLOSE_SERVICES, TELL_OVERDUE
from kameng_fulfilment.service_desk.working import open_services

if TYPE_CHECKING:
    from kameng.kernel import Kernel

SERVE: Final = "fulfilment.serve_orders"
"""The permission to work on the service desk."""

MANAGE_SERVICE: Final = "fulfilment.manage_service_desk"
"""The permission to take lines from others, and to say how soon services are to be done."""

TOLD_AT_ONCE: Final = 200
"""Overdue lines of one transaction."""


async def serve_paid(kernel: Kernel, events: Sequence[OrderPaid]) -> None:
    """Paid: put onto the desk what the staff deliver."""
    await open_services(kernel, [UUID(event.order) for event in events])


async def watch_services(kernel: Kernel) -> None:
    """The task: take from the desk what is not owed any more, put onto it what was missed, tell what is overdue, once."""
    await kernel.db.execute(CLOSE_SERVICES)
    await open_services(kernel)
    while True:
        async with kernel.db.transaction():
            rows = await kernel.db.fetch(TELL_OVERDUE, TOLD_AT_ONCE)
            await kernel.events.emit(
                *(
                    ServiceOverdue(
                        order=str(row["order_id"]),
                        number=row["number"],
                        line=str(row["line"]),
                        sku=row["sku"],
                        due_by=row["due_by"].isoformat(),
                    )
                    for row in rows
                    if row["owed"]
                )
            )
        if len(rows) < TOLD_AT_ONCE:
            return


EVENTS = (ServiceOverdue,)
HANDLERS = (Handler(name="serve_paid", event=OrderPaid, call=serve_paid, batch=True),)
TASKS = (Task(name="watch_services", call=watch_services, every=timedelta(minutes=1)),)
PERMISSIONS = (
    Permission(SERVE, "Work on the service desk", "处理人工服务订单"),
    Permission(MANAGE_SERVICE, "Manage the service desk", "管理人工服务台"),
)
