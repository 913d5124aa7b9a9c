"""The end of visitors' carts that nobody has touched for long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from kameng_fulfilment.cart.statements import EXPIRE_CARTS
from kameng_fulfilment.settings import FulfilmentSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)

CARTS_AT_ONCE = 500
"""Carts that one statement deletes."""


async def expire_carts(kernel: Kernel) -> None:
    """Delete them. Any number of processes may do this at the same time."""
    days = kernel.settings.section("fulfilment", FulfilmentSettings).guest_cart_days
    done = 0
    while True:
        answer = await kernel.db.execute(EXPIRE_CARTS, timedelta(days=days), CARTS_AT_ONCE)
        gone = int(answer.split()[-1])
        done += gone
        if gone < CARTS_AT_ONCE:
            break
    if done:
        log.info("carts of visitors expired", carts=done)
