"""The relay: one process of the deployment, chosen by an advisory lock, moves what is due to the workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import structlog

from kameng.events import metrics
from kameng.events.failure import OUTAGES, Patience, describe, trace
from kameng.events.letters import Carrier, Letter, Room

if TYPE_CHECKING:
    import asyncpg

    from kameng.kernel import Kernel

LOCK = 0x6B616D72656C6179  # "kamrelay": the advisory lock of the active relay

STANDBY_SECONDS = 1.0
"""How often one that stands by tries for the lock."""

LINGER_SECONDS = 0.01
"""The least time between two rounds: under load, events gather into batches meanwhile."""

FAILED_SECONDS = 5.0
"""How long to wait after a failure that no outage explains."""

log = structlog.get_logger("kameng.events")


class Round(Protocol):
    """Something that the active relay does again and again, on the connection that holds the lock."""

    async def run(self, connection: asyncpg.Connection, room: Room) -> tuple[list[Letter], float]:
        """Do and commit what is due; gives the letters to send, and the seconds until the next call."""

    def restart(self) -> None:
        """This process has just become the active relay: forget what was known from earlier."""


class Relay:
    """Stands by until the place is free, then leads until it is stopped or its connection is lost.

    All its statements run on the connection that holds the lock, so one that has lost the lock can do
    nothing more; and if two did lead for a moment, row locks would share the work between them.

    Args:
        kernel: an open kernel.
        carrier: takes the letters.
        rounds: what the active relay does.

    Attributes:
        leading: whether this is the active relay.
    """

    def __init__(self, kernel: Kernel, carrier: Carrier, rounds: Sequence[Round]) -> None:
        self._kernel = kernel
        self._carrier = carrier
        self._rounds = rounds
        self._unsent: list[Letter] = []
        self._rung = asyncio.Event()
        self.leading = False

    def wake(self) -> None:
        """There is something to do."""
        self._rung.set()

    async def run(self) -> None:
        """Stand by and lead, until cancelled; outages are waited out."""
        self._kernel.db.use()
        patience = Patience()
        while True:
            try:
                async with self._kernel.db.connection() as connection:
                    if await connection.fetchval("select pg_try_advisory_lock($1)", LOCK, timeout=10):
                        await self._lead(connection, patience)
                patience.reset()
                await asyncio.sleep(STANDBY_SECONDS)
            except OUTAGES as error:  # TimeoutError, of a statement that nobody answers, is an OSError
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    # The way out of a statement that was cancelled may raise this in place of the cancellation.
                    raise asyncio.CancelledError from error
                if patience.fresh:
                    log.warning("the relay waits for the database or the broker", error=type(error).__name__)
                await asyncio.sleep(patience.next())

    async def _lead(self, connection: asyncpg.Connection, patience: Patience) -> None:
        # A machine that vanishes must not keep the lock for the two hours after which TCP would look.
        await connection.execute(
            "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3"
        )
        for each in self._rounds:
            each.restart()
        self.leading = True
        metrics.LEADING.set(1)
        log.info("the relay is active")
        try:
            while True:
                began = time.monotonic()
                self._rung.clear()
                if connection.is_closed():
                    raise ConnectionResetError("the connection that held the lock is lost")
                wait = await self._round(connection)
                patience.reset()
                await asyncio.sleep(max(0.0, began + LINGER_SECONDS - time.monotonic()))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._rung.wait(), max(0.0, began + wait - time.monotonic()))
        finally:
            self.leading = False
            metrics.LEADING.set(0)
            log.info("the relay is no longer active")

    async def _round(self, connection: asyncpg.Connection) -> float:
        await self._send()
        room = await self._carrier.room()
        waits = []
        for each in self._rounds:
            try:
                letters, wait = await each.run(connection, room)
            except OUTAGES:
                raise
            except Exception as error:  # what is wrong with one must not keep the others from their work
                log.error(
                    "the relay failed", at=type(each).__name__, error=describe(error), trace=trace(error)
                )
                letters, wait = [], FAILED_SECONDS
            waits.append(wait)
            # The work is known to nobody else until its lease ends, so letters that cannot be sent are kept.
            self._unsent += letters
            await self._send()
        return min(waits)

    async def _send(self) -> None:
        if self._unsent:
            await self._carrier.send(self._unsent)
            self._unsent = []
