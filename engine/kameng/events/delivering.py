"""The worker's side: a handler's call and the receipt for it, in one transaction."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from kameng.errors import BootError
from kameng.events import metrics, statements
from kameng.events.failure import CONTENTION, DATABASE_OUTAGES, describe, pause, through_outages, trace

if TYPE_CHECKING:
    from kameng.events.subscriptions import Subscription
    from kameng.kernel import Kernel

HANDLER_SECONDS = 300.0
"""How long one call of a handler may take: it keeps a transaction open. Longer work is for tasks."""

CONTENTION_TRIES = 5
"""How often a transaction is tried again at once when it got in another one's way."""

ATTEMPTS_OF_STRANGERS = 12
"""Attempts for a handler that no enabled module has: perhaps only this worker does not have it yet."""

log = structlog.get_logger("kameng.events")


class Deliverer:
    """Hands events to handlers.

    Args:
        kernel: an open kernel.
        first_pause: seconds between a delivery's first and second attempt.
    """

    def __init__(self, kernel: Kernel, first_pause: float) -> None:
        self._kernel = kernel
        self._subscriptions = kernel.events.subscriptions
        self._first_pause = first_pause
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin nothing more; what is not begun goes back."""
        self._stopping.set()

    async def deliver(self, key: str, attempts: int, events: Sequence[int]) -> None:
        """Handle what of these deliveries is still owed. Never raises for a handler's failure; outages are
        waited out.

        Args:
            key: ``module.handler``.
            attempts: how often these deliveries have failed so far.
            events: events' numbers in the outbox.
        """
        self._kernel.db.use()
        subscription = self._subscriptions.by_key.get(key)
        if subscription is None:
            missing = BootError(f"No enabled module of this worker has a handler {key}.")
            await through_outages(partial(self._fail, key, attempts, events, missing), self._stopping)
            return
        parts = [events] if subscription.batch else [[event] for event in events]
        for index, part in enumerate(parts):
            if self._stopping.is_set():
                rest = [event for part in parts[index:] for event in part]
                await self._kernel.db.execute(statements.GIVE_BACK, key, rest, attempts)
                return
            await through_outages(partial(self._handle, subscription, attempts, part), self._stopping)

    async def _handle(self, subscription: Subscription, attempts: int, events: Sequence[int]) -> None:
        for turn in range(CONTENTION_TRIES):
            try:
                ages = await self._call(subscription, attempts, events)
            except CONTENTION as error:
                failure: Exception = error
                await asyncio.sleep(random.uniform(0, 0.02 * 2**turn))  # noqa: S311 - spreads load, hides nothing
            except Exception as error:  # whatever a handler raises concerns its delivery, never the worker
                if isinstance(error, DATABASE_OUTAGES):
                    # Raises again if it is an outage. If the database answers, it is the handler's own
                    # trouble.
                    await self._kernel.db.fetchval("select 1")
                failure = error
                break
            else:
                metrics.DELIVERIES.labels(subscription.key, "done").inc(len(ages))
                for age in ages:
                    metrics.LAG.labels(subscription.key).observe(age)
                return
        if len(events) == 1 or isinstance(failure, TimeoutError):
            await self._fail(subscription.key, attempts, events, failure)
            return
        # Halving finds the poisoned ones of a batch in few transactions; the others do not wait for them.
        middle = len(events) // 2
        await self._handle(subscription, attempts, events[:middle])
        await self._handle(subscription, attempts, events[middle:])

    async def _call(self, subscription: Subscription, attempts: int, events: Sequence[int]) -> list[float]:
        """One transaction; gives the ages in seconds of the events that were still owed."""
        db, handler = self._kernel.db, subscription.handler
        async with asyncio.timeout(HANDLER_SECONDS), db.transaction():
            rows = await db.fetch(statements.TAKE, subscription.key, events, attempts)
            if not rows:
                return []
            read: list[Any] = [subscription.event_of(row) for row in rows]
            with structlog.contextvars.bound_contextvars(handler=subscription.key):
                await handler.call(self._kernel, read if subscription.batch else read[0])
            return [row["age"] for row in rows]

    async def _fail(self, key: str, attempts: int, events: Sequence[int], error: Exception) -> None:
        subscription = self._subscriptions.by_key.get(key)
        allowed = subscription.handler.attempts if subscription else ATTEMPTS_OF_STRANGERS
        wait = pause(attempts + 1, self._first_pause)
        told = describe(error)
        rows = await self._kernel.db.fetch(statements.FAIL, key, events, attempts, told, allowed, wait)
        for state, count in Counter(row["state"] for row in rows).items():
            dead = state == "dead"
            metrics.DELIVERIES.labels(key, "dead" if dead else "failed").inc(count)
            (log.error if dead else log.warning)(
                "an event could not be handled and is a dead letter"
                if dead
                else "an event could not be handled",
                handler=key,
                events=list(events),
                attempt=attempts + 1,
                error=told,
                again_in=None if dead else round(wait.total_seconds(), 1),
                trace=trace(error),
            )
