"""A relay that is told to stop stops, whatever its connection says on the way out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from kameng.events.relay import Relay
from kameng.testing.kernels import Kernels


class Idle:
    """A carrier without room and a round that has nothing to do."""

    async def room(self) -> None:
        """None is needed."""

    async def run(self, connection: Any, room: None) -> tuple[list[Any], float]:
        return [], 60.0

    def restart(self) -> None:
        """There is nothing to forget."""


async def test_a_connection_that_fails_while_it_is_given_back_does_not_hide_the_stop(
    make_kernel: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an active relay whose connection is broken when it is given back
    kernel = await make_kernel()
    whole: Any = kernel.db.connection

    @asynccontextmanager
    async def breaking() -> AsyncIterator[Any]:
        async with whole() as connection:
            try:
                yield connection
            except asyncio.CancelledError as stop:
                raise asyncpg.InterfaceError("another operation is in progress") from stop

    monkeypatch.setattr(kernel.db, "connection", breaking)
    idle: Any = Idle()
    relay = Relay(kernel, idle, (idle,))
    running = asyncio.create_task(relay.run())
    while not relay.leading:
        assert not running.done(), running
        await asyncio.sleep(0.01)
    # When it is stopped, then it ends
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=60)
    running.cancel()
    assert done == {running}
    assert running.cancelled()
