"""The outbox: events are written with the facts that they tell, or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from kameng.errors import BootError, TransactionError
from kameng.events import statements
from kameng.events.bell import Bell
from kameng.events.subscriptions import Subscriptions

if TYPE_CHECKING:
    from kameng.events.event import Event
    from kameng.kernel import Kernel

PAGES_TOPIC = "kernel.pages"
"""The live topic that tells the names of events by which pages may change."""

_encode = msgspec.json.Encoder(decimal_format="string").encode


class DeadDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a handler failed on for the last time.

    Attributes:
        event: the event's number in the outbox.
        handler: ``module.handler``.
        topic: the event's name; empty if its row is gone.
        attempts: how often it was tried.
        error: the last error, without values.
        written_at: when the event happened.
        died_at: when it was last tried.
    """

    event: int
    handler: str
    topic: str
    attempts: int
    error: str
    written_at: datetime | None
    died_at: datetime

    @property
    def key(self) -> tuple[int, str]:
        """What `Outbox.requeue` and `Outbox.discard` take."""
        return self.event, self.handler


class EventsBacklog(msgspec.Struct, frozen=True, kw_only=True):
    """How much is under way, each counted up to 100,000.

    Attributes:
        unrelayed: events that have not got their deliveries yet.
        owed: deliveries not handled yet.
        dead: dead letters.
    """

    unrelayed: int
    owed: int
    dead: int


class Outbox:
    """``kernel.events``: publish events, and look after those that could not be handled.

    Attributes:
        bell: wakes the relay.
        subscriptions: who is subscribed to what.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.bell = Bell(kernel)
        self.subscriptions = Subscriptions(kernel.modules)

    async def emit(self, *events: Event) -> None:
        """Publish events with the transaction around: they are handled if it commits, and never happened if
        not.

        Handlers run later, in a worker, each event once in its effects; the order between events is not
        promised. All events of a call cost one statement, so hand over together what happened together.

        Raises:
            TransactionError: there is no transaction.
        """
        if not events:
            return
        if self._kernel.db.scope is None:
            raise TransactionError(
                f"The event {events[0].topic()} was published outside a transaction.",
                cure="Publish it inside `async with kernel.db.transaction():` with the fact that it tells.",
            )
        await self._kernel.db.execute(
            statements.EMIT,
            [event.topic() for event in events],
            [_encode(event).decode() for event in events],
        )
        self.bell.ring_after_commit()
        if shown := {event.topic() for event in events if event.pages}:
            self._kernel.live.publish_all((PAGES_TOPIC, topic) for topic in shown)

    async def watch(self, observer: str, wanted: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Say of which topics an observer wants to hear from now on, instead of what it wanted before.

        Joins the transaction around it, and makes others that change the same wait for its end.

        Args:
            observer: ``module.observer``.
            wanted: gives the names of the events. It is called under the lock, so of two changes at once the later one
                sees what the other did.

        Raises:
            BootError: no enabled module has such an observer.
        """
        if observer not in self.subscriptions.observers:
            raise BootError(
                f"No enabled module has an observer {observer!r}.", cure="Write it as 'module.observer'."
            )
        async with self._kernel.db.transaction():
            await self._kernel.db.execute("select pg_advisory_xact_lock($1)", statements.WATCH_LOCK)
            await self._kernel.db.execute(statements.WATCH, observer, list(await wanted()))

    async def backlog(self) -> EventsBacklog:
        """How much is under way."""
        [row] = await self._kernel.db.fetch(statements.COUNT_BACKLOG)
        return EventsBacklog(unrelayed=row["unrelayed"], owed=row["owed"], dead=row["dead"])

    async def list_dead(self, first: int = 50, after: tuple[int, str] | None = None) -> list[DeadDelivery]:
        """Dead letters, the oldest event first.

        Args:
            first: how many at most.
            after: the `DeadDelivery.key` to go on after.
        """
        event, handler = after or (0, "")
        return [
            DeadDelivery(
                event=row["event_id"],
                handler=row["handler"],
                topic=row["topic"] or "",
                attempts=row["attempts"],
                error=row["last_error"] or "",
                written_at=row["created_at"],
                died_at=row["died_at"],
            )
            for row in await self._kernel.db.fetch(statements.LIST_DEAD, event, handler, first)
        ]

    async def requeue(self, keys: Sequence[tuple[int, str]]) -> int:
        """Let dead letters be tried anew, with all their attempts.

        Args:
            keys: each a `DeadDelivery.key`.

        Returns:
            how many there were.
        """
        count = await self._change(statements.REQUEUE_DEAD.sql, keys)
        self.bell.ring_after_commit()
        return count

    async def discard(self, keys: Sequence[tuple[int, str]]) -> int:
        """Give dead letters up: they will never be handled. Returns how many there were."""
        return await self._change(statements.DISCARD_DEAD.sql, keys)

    async def _change(self, sql: str, keys: Sequence[tuple[int, str]]) -> int:
        answer = await self._kernel.db.execute(
            sql, [event for event, _ in keys], [handler for _, handler in keys]
        )
        return int(answer.split()[-1])

    async def close(self) -> None:
        """End what runs in the background; the kernel calls it before it closes."""
        await self.bell.close()
