"""Live signals: telling the subscriptions of all processes that something has changed.

    kernel.live.publish("fulfilment.orders:0189…", "0190…")      # heard after the transaction around has committed

    async with kernel.live.subscribe("fulfilment.orders:0189…") as signals:
        async for signal in signals:
            ...

They go by Valkey's publish and subscribe. All that a process publishes within a few milliseconds is one command, on one channel
of the deployment, and each process keeps what somebody of its own waits for; so publishing costs a path that is in a hurry next
to nothing, whether anybody listens or not.

A signal may be lost: Valkey restarts, the line is interrupted, a subscriber is slow. Whoever may have lost some hears `MISSED`
and reads again what it cares about. So a signal names what has changed and never carries the news itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from kameng.events.bell import deployment_key
from kameng.events.failure import OUTAGES, Patience
from kameng.graphql.cancelling import ended

if TYPE_CHECKING:
    from kameng.kernel import Kernel

GATHER_SECONDS = 0.005
"""For how long signals are gathered that are published together."""

MAX_WAITING = 100
"""Signals that wait for one subscriber; one that is slower hears `MISSED` instead of them."""

_MAX_UNSENT = 20_000  # while Valkey is away; all of them are missed then

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(list[tuple[str, str]])

log = structlog.get_logger("kameng.live")


class Missed(Enum):
    """The type of `MISSED`."""

    MISSED = "missed"


MISSED: Final = Missed.MISSED
"""What a subscriber hears when it may have lost signals, and once when the line is up."""


class Signals:
    """What a subscriber hears: an endless asynchronous iterator of signals and `MISSED`."""

    def __init__(self) -> None:
        self._waiting: deque[str | Missed] = deque()
        self._some = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[str | Missed]:
        return self

    async def __anext__(self) -> str | Missed:
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.popleft()

    def put(self, signal: str | Missed) -> None:
        """Hand over a signal; never waits."""
        if signal is MISSED or len(self._waiting) >= MAX_WAITING:
            self._waiting.clear()
            signal = MISSED
        if not self._waiting or self._waiting[-1] != signal:  # the same once more says nothing new
            self._waiting.append(signal)
        self._some.set()


class Live:
    """One kernel's end of the line.

    Args:
        kernel: publishes and listens on its Valkey, on the loop that opened it.

    Attributes:
        ending: set when this process is about to stop: streams end, and their clients connect to another.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.ending = asyncio.Event()
        self._channel = ""
        self._unsent: list[tuple[str, str]] = []
        self._sending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._subscribers: dict[str, set[Signals]] = {}

    def publish(self, topic: str, signal: str = "") -> None:
        """Tell the subscribers of a topic something, when the transaction around has committed, or now if there is none."""
        self.publish_all([(topic, signal)])

    def publish_all(self, signals: Iterable[tuple[str, str]]) -> None:
        """Like `publish`, for pairs of topic and signal."""
        told = list(signals)
        scope = self._kernel.db.scope
        if scope is None:
            self._send_soon(told)
        else:
            scope.after_commit(lambda: self._send_soon(told))

    @contextmanager
    def _subscribed(self, topic: str) -> Iterator[Signals]:
        signals = Signals()
        self._subscribers.setdefault(topic, set()).add(signals)
        if self._listening is None:
            # In a context of its own: the line belongs to no request.
            loop = asyncio.get_running_loop()
            self._listening = loop.create_task(self._listen(), name="kameng-live", context=Context())
        try:
            yield signals
        finally:
            others = self._subscribers[topic]
            others.discard(signals)
            if not others:
                del self._subscribers[topic]

    def subscribe(self, topic: str) -> _Subscription:
        """``async with`` gives the `Signals` of a topic from then on.

        What is read after entering is not older than the first signal; until the line is up for the first time, signals are
        told by a `MISSED` when it is.
        """
        return _Subscription(self, topic)

    async def close(self) -> None:
        """Send what waits and stop listening; the kernel calls it before it closes its connections."""
        self.ending.set()
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=1)
        await ended(*(task for task in (self._sending, self._listening) if task is not None))
        self._listening = None

    def _send_soon(self, signals: list[tuple[str, str]]) -> None:
        self._unsent += signals
        if self._sending is None and self._unsent:
            loop = asyncio.get_running_loop()
            self._sending = loop.create_task(self._send(), context=Context())

    async def _send(self) -> None:
        try:
            while self._unsent:
                signals, self._unsent = self._unsent[-_MAX_UNSENT:], []
                await self._kernel.valkey.publish(await self._name(), _encode(signals))
                await asyncio.sleep(GATHER_SECONDS)
        except OUTAGES as error:
            # Those who listen are cut off as well, and will hear that they missed something.
            self._unsent.clear()
            log.warning("live signals were lost", error=type(error).__name__)
        finally:
            self._sending = None

    async def _name(self) -> str:
        if not self._channel:
            self._channel = f"{await deployment_key(self._kernel)}:live"
        return self._channel

    async def _listen(self) -> None:
        patience = Patience()
        while True:
            try:
                async with self._kernel.valkey.pubsub() as line:
                    await line.subscribe(await self._name())
                    while True:
                        message = await line.get_message(timeout=30)
                        if message is None:
                            await line.ping()
                        elif message["type"] == "message":
                            self._hear(message["data"])
                        elif message["type"] == "subscribe":
                            # Also after the client connected anew by itself, before which something may have been missed.
                            patience.reset()
                            self._tell_all_missed()
            except OUTAGES as error:
                if patience.fresh:
                    log.warning("live signals are not heard", error=type(error).__name__)
            except Exception:  # whatever it was: without this task nobody would ever hear anything again
                log.error("live signals are not heard", exc_info=True)
            await asyncio.sleep(patience.next())

    def _hear(self, message: bytes) -> None:
        try:
            told = _decoder.decode(message)
        except msgspec.DecodeError:
            log.warning("a live message is unreadable")
            self._tell_all_missed()
            return
        for topic, signal in told:
            for subscriber in self._subscribers.get(topic, ()):
                subscriber.put(signal)

    def _tell_all_missed(self) -> None:
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                subscriber.put(MISSED)


class _Subscription:
    def __init__(self, live: Live, topic: str) -> None:
        self._entered = live._subscribed(topic)

    async def __aenter__(self) -> Signals:
        return self._entered.__enter__()

    async def __aexit__(self, *failure: object) -> None:
        self._entered.__exit__(None, None, None)
