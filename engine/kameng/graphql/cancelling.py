"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any

_AGAIN_SECONDS = 1.0  # long enough to tidy up after the first


async def ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks until they are done, whatever they end with.

    Once is not enough: ``asyncio.wait_for`` of Python 3.11, which database and Valkey clients use, loses a cancellation that
    comes just when what it waits for is done. Its task would go on, and who waits for its end would wait for ever.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # heard; asyncio would complain of it otherwise
