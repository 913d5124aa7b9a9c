"""Telling all processes of a deployment that a principal's sessions, tokens or permissions have changed.

By Valkey's publish and subscribe: a message names the principal, and every process forgets what it knows of
it. A message can be lost (Valkey restarts, the publisher dies between commit and publishing): then entries
live on until their few seconds are over, which is why those are few.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from kameng.auth.remembered import Remembered

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from kameng.db import Database

CHANNEL = "kameng:auth:changed"
"""The channel on which keys of principals are published."""

_PAUSES = (0.1, 0.5, 2.0, 5.0)  # seconds between attempts to listen again

log = structlog.get_logger(__name__)


class Revocations:
    """Publishes changes and listens for those of others.

    Args:
        db: the database, whose transactions a change waits for.
        valkey: carries the messages.
        remembered: forgets who has changed.
    """

    def __init__(self, db: Database, valkey: Redis, remembered: Remembered) -> None:
        self._db = db
        self._valkey = valkey
        self._remembered = remembered
        self._listener: asyncio.Task[None] | None = None
        self._publishing: set[asyncio.Task[None]] = set()

    async def announce(self, principal_key: str) -> None:
        """Tell everybody that a principal has changed: now, or when the transaction around this commits."""
        scope = self._db.scope
        if scope is None:
            self._remembered.forget(principal_key)
            await self._publish(principal_key)
        else:
            scope.after_commit(lambda: self._committed(principal_key))

    def listen(self) -> None:
        """Begin to listen, once; without effect when nothing is remembered anyway."""
        if self._listener is None and self._remembered.enabled:
            # In a context of its own: the first request starts this, and its transaction is not the
            # listener's.
            loop = asyncio.get_running_loop()
            self._listener = loop.create_task(self._listen(), name="kameng-revocations", context=Context())

    async def close(self) -> None:
        """Publish what waits, and stop listening."""
        if self._publishing:
            await asyncio.wait(self._publishing)
        listener, self._listener = self._listener, None
        while listener is not None and not listener.done():
            # More than once: Python 3.11's wait_for, by which the client sends, loses a cancellation that comes
            # just when it is done.
            listener.cancel()
            await asyncio.wait({listener}, timeout=0.2)

    def _committed(self, principal_key: str) -> None:
        self._remembered.forget(principal_key)
        task = asyncio.get_running_loop().create_task(self._publish(principal_key), context=Context())
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, principal_key: str) -> None:
        try:
            await self._valkey.publish(CHANNEL, principal_key)
        except (RedisError, OSError) as error:
            log.warning("revocation_not_published", principal=principal_key, reason=type(error).__name__)

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                async with self._valkey.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    async for message in subscription.listen():
                        if message["type"] == "subscribe":
                            # Also after each reconnection, before which messages may have been missed.
                            self._remembered.forget_all()
                            self._remembered.listening = True
                            failures = 0
                        elif message["type"] == "message":
                            self._remembered.forget(message["data"].decode())
            except Exception as error:  # whatever it was: remember nothing until we hear again
                log.warning("revocations_not_heard", reason=type(error).__name__)
            finally:
                self._remembered.listening = False
                self._remembered.forget_all()
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1
