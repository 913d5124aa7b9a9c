"""The rule for lines that could not be delivered: paid back by itself after a while, where the operator wants that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from kameng_fulfilment.life_statements import FAILED_LINES
from kameng_fulfilment.orders import lines_of_orders
from kameng_fulfilment.refund_parts import RefundedLine
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.states import OWING, lock_orders

if TYPE_CHECKING:
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)

LINES_AT_ONCE = 100
"""Failed lines that one run looks at."""


async def refund_failed(kernel: Kernel) -> None:
    """Refund what could not be delivered for longer than the settings allow. Run often by a worker.

    What a person has taken up meanwhile stays: each line is looked at again while its order is locked.
    """
    after = kernel.settings.section("fulfilment", FulfilmentSettings).refund_failed_minutes
    if after <= 0:
        return
    rows = await kernel.db.fetch(FAILED_LINES, timedelta(minutes=after), LINES_AT_ONCE)
    for row in rows:
        async with kernel.db.transaction():
            order = (await lock_orders(kernel, [row["order_id"]]))[row["order_id"]]
            lines = (await lines_of_orders(kernel.db, [order.id]))[order.id]
            (line,) = (each for each in lines if each.id == row["id"])
            if line.delivery_state != "FAILED" or order.state not in OWING or order.held:
                continue
            await refund_order(
                kernel,
                order.id,
                [RefundedLine(line=line.id, quantity=line.remaining)],
                key=f"failed:{line.id}:{row['failed_at'].isoformat()}",
                actor="system",
                reason="could not be delivered",
            )
            log.info("a line that could not be delivered was refunded", order=order.number, line=str(line.id))
