"""From the outbox to the broker: new events get their deliveries; what got lost or failed is sent again."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kameng.events import metrics, statements
from kameng.events.letters import EVENTS_LANE, Letter, Room

if TYPE_CHECKING:
    import asyncpg

    from kameng.events.subscriptions import Subscriptions

RESCAN_SECONDS = 5.0
"""How often the whole outbox is looked through for events whose transaction took long to commit."""

RESCAN_SHARE = 0.05
"""The share of time that this may take: behind a transaction that stays open for an hour, the index is full of dead
entries, and then it is done less often."""

RESEND_SECONDS = 0.5
"""How often due deliveries are looked for."""

RECHECK_SECONDS = 60.0
"""How often all due deliveries are looked for, not only those that have become due lately."""

COUNT_SECONDS = 10.0
"""How often the backlog is counted for the metrics."""

IDLE_SECONDS = 0.5
"""How long to wait for the bell when nothing is to be done, before looking all the same."""

CROWDED_SECONDS = 0.05
"""How long to wait when the broker has no room; what is not sent yet is safe in the database."""

STATEMENT_SECONDS = 60.0
"""After this, a statement of the relay counts as lost with its connection."""

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class NewEvents:
    """Gives new events their deliveries, in one statement that commits by itself.

    Args:
        subscriptions: who gets what.
        lease: after how long a delivery is sent again if nothing was heard of it.
    """

    def __init__(self, subscriptions: Subscriptions, lease: timedelta) -> None:
        self._subscriptions = subscriptions
        self._topics, self._handlers = subscriptions.pairs()
        self._lease = lease
        self.restart()

    def restart(self) -> None:
        """Start from the beginning."""
        self._floor = self._top = self._earlier_top = 0
        self._scan_at = 0.0

    async def run(self, connection: asyncpg.Connection, room: Room) -> tuple[list[Letter], float]:
        """Relay up to a batch."""
        if room.free[EVENTS_LANE] <= 0:
            return [], CROWDED_SECONDS
        now = time.monotonic()
        whole = now >= self._scan_at
        rows = await connection.fetch(
            statements.RELAY.sql,
            0 if whole else self._floor,
            self._topics,
            self._handlers,
            self._lease,
            self._subscriptions.observers,
            timeout=STATEMENT_SECONDS,
        )
        if whole:
            # What was the top one scan ago is old enough that hardly a transaction below it is still open.
            self._floor, self._earlier_top = self._earlier_top, self._top
            ended = time.monotonic()
            self._scan_at = ended + max(RESCAN_SECONDS, (ended - now) / RESCAN_SHARE)
        if not rows:
            return [], IDLE_SECONDS
        self._top = max(self._top, rows[-1]["id"])
        full = len(rows) == statements.RELAY_BATCH
        if full:
            self._floor = max(self._floor, rows[-1]["id"])
        metrics.RELAYED.inc(len(rows))
        wanted: dict[str, list[int]] = defaultdict(list)
        for event, topic, observers in rows:
            for subscription in self._subscriptions.by_topic.get(topic, ()):
                wanted[subscription.key].append(event)
            for key in observers:
                wanted[key].append(event)
        groups = ((key, 0, events) for key, events in wanted.items())
        return letters_for(self._subscriptions, groups), 0.0 if full else IDLE_SECONDS


class DueDeliveries:
    """Sends deliveries again whose pause or whose lease is over.

    Args:
        subscriptions: who gets what.
        lease: after how long a delivery is sent again if nothing was heard of it.
    """

    def __init__(self, subscriptions: Subscriptions, lease: timedelta) -> None:
        self._subscriptions = subscriptions
        self._lease = lease
        self.restart()

    def restart(self) -> None:
        """Look at everything that is due."""
        self._looked = -RESEND_SECONDS
        self._recheck_at = 0.0
        self._since = BEGINNING

    async def run(self, connection: asyncpg.Connection, room: Room) -> tuple[list[Letter], float]:
        """Send up to a batch again."""
        if room.emptied:
            await connection.execute(statements.HASTEN.sql, timeout=STATEMENT_SECONDS)
            self.restart()
        now = time.monotonic()
        if room.free[EVENTS_LANE] <= 0:
            return [], CROWDED_SECONDS
        if now - self._looked < RESEND_SECONDS:
            return [], RESEND_SECONDS
        if now >= self._recheck_at:
            self._since, self._recheck_at = BEGINNING, now + RECHECK_SECONDS
        looked_at = await connection.fetchval("select clock_timestamp()", timeout=STATEMENT_SECONDS)
        rows = await connection.fetch(
            statements.RESEND.sql, self._since, self._lease, timeout=STATEMENT_SECONDS
        )
        wanted: dict[tuple[str, int], list[int]] = defaultdict(list)
        for event, handler, attempts in rows:
            wanted[handler, attempts].append(event)
        groups = ((key, attempts, sorted(events)) for (key, attempts), events in wanted.items())
        letters = letters_for(self._subscriptions, groups)
        if len(rows) == statements.RESEND_BATCH:
            return letters, 0.0
        # A time is given before the transaction that holds it commits, so the next look starts a little
        # earlier.
        self._looked, self._since = now, looked_at - timedelta(seconds=RECHECK_SECONDS / 2)
        return letters, RESEND_SECONDS


class EventsGauge:
    """Counts the backlog for the metrics."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Count at once."""
        self._counted = -COUNT_SECONDS

    async def run(self, connection: asyncpg.Connection, _room: Room) -> tuple[list[Letter], float]:
        """Count, if it is time."""
        now = time.monotonic()
        if now - self._counted >= COUNT_SECONDS:
            self._counted = now
            counted = await connection.fetchrow(statements.COUNT_BACKLOG.sql, timeout=STATEMENT_SECONDS)
            for state, count in counted.items():
                metrics.BACKLOG.labels(state).set(count)
        return [], COUNT_SECONDS


def letters_for(
    subscriptions: Subscriptions, groups: Iterable[tuple[str, int, Sequence[int]]]
) -> list[Letter]:
    """Letters for groups of ``(handler, attempts so far, events)``, each no longer than suits the handler."""
    letters: list[Letter] = []
    for key, attempts, events in groups:
        known = subscriptions.by_key.get(key)
        size = known.chunk if known else len(events)
        parts = (list(events[start : start + size]) for start in range(0, len(events), size))
        letters += (Letter(EVENTS_LANE, (key, attempts, part)) for part in parts)
    return letters
