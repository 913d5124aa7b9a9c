"""The bell: tells the deployment's processes that there is something to do, so that nobody has to poll
quickly.

It goes through Valkey's publish and not through PostgreSQL's NOTIFY: every commit that notifies takes one
lock of the whole server until it is on disk, so notifying commits queue up behind each other where all
others are flushed together. Measured with 16 connections in two processes, NOTIFY took a fifth to a half of
the commits per second.

A ring that is lost costs time and nothing else: whoever listens also looks by himself now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog

from kameng.events.failure import OUTAGES, Patience

if TYPE_CHECKING:
    from kameng.kernel import Kernel

QUIET_SECONDS = 0.01
"""After a ring, so many seconds pass before the next; whatever was to be rung in between is one ring."""

RELAY, EVENTS, TASKS = b"relay", b"events", b"tasks"
"""Whom a ring calls: the relay, or the workers of a lane."""

log = structlog.get_logger("kameng.events")


async def deployment_key(kernel: Kernel) -> str:
    """A short name of the deployment, the same in all its processes: what is in Valkey stands under it.

    It comes from the database itself, not from its address, which processes may spell differently.
    """
    system, database = await kernel.db.fetchval(
        "select array[(select system_identifier::text from pg_control_system()), current_database()]"
    )
    return "kameng-" + sha256(f"{system}/{database}".encode()).hexdigest()[:12]


class Bell:
    """One kernel's end of the rope.

    Args:
        kernel: rings and listens on its Valkey, on the loop that opened it.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._channel = ""
        self._again: set[bytes] = set()
        self._ringing: dict[bytes, asyncio.Task[None]] = {}

    def ring(self, whom: bytes = RELAY) -> None:
        """Ring soon; neither waits nor raises, so that it may be called after a commit."""
        if whom in self._ringing:
            self._again.add(whom)
        else:
            self._ringing[whom] = asyncio.get_running_loop().create_task(self._ring(whom))

    def ring_after_commit(self, whom: bytes = RELAY) -> None:
        """Ring when the transaction around has committed, or now if there is none."""
        scope = self._kernel.db.scope
        if scope is None:
            self.ring(whom)
        else:
            scope.after_commit(lambda: self.ring(whom))

    async def close(self) -> None:
        """Stop ringing."""
        ringing = list(self._ringing.values())
        for each in ringing:
            each.cancel()
        await asyncio.gather(*ringing, return_exceptions=True)

    async def channel(self) -> str:
        """The deployment's channel."""
        if not self._channel:
            self._channel = f"{await deployment_key(self._kernel)}:bell"
        return self._channel

    async def _ring(self, whom: bytes) -> None:
        try:
            while True:
                self._again.discard(whom)
                await self._kernel.valkey.publish(await self.channel(), whom)
                await asyncio.sleep(QUIET_SECONDS)
                if whom not in self._again:
                    return
        except OUTAGES as error:
            log.debug("nobody hears the bell", error=type(error).__name__)
        finally:
            del self._ringing[whom]

    async def listen(self, heard: Callable[[bytes], None]) -> None:
        """Call something at each ring, until cancelled.

        Whatever was rung while the line was down is unknown, so everybody is called when it is up again.
        """
        patience = Patience()
        while True:
            try:
                async with self._kernel.valkey.pubsub() as line:
                    await line.subscribe(await self.channel())
                    while True:
                        message = await line.get_message(timeout=30)
                        if message is None:
                            await line.ping()
                        elif message["type"] == "message":
                            heard(message["data"])
                        elif message["type"] == "subscribe":
                            patience.reset()
                            for whom in (RELAY, EVENTS, TASKS):
                                heard(whom)
            except OUTAGES as error:
                if patience.fresh:
                    log.warning("the bell is down", error=type(error).__name__)
                await asyncio.sleep(patience.next())
