"""Dramatiq on Redis or Valkey: a broker for each lane, none of them global.

Dramatiq carries ids and decides nothing: retries, delays, dead letters and leases are rows in the database.
    So the brokers have no middleware, and two kernels in one process do not see each other.
"""

from __future__ import annotations

# Dramatiq says that it is typed, but its Redis broker and consumer are not.
# mypy: disable-error-code="no-untyped-call"
import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import redis
from dramatiq import Actor, Message, MessageProxy
from dramatiq import Worker as DramatiqWorker
from dramatiq.brokers.redis import RedisBroker

# Private, and our lock file pins its version: a subclass is the one way to tell a waiting consumer that
# there is work.
from dramatiq.brokers.redis import _RedisConsumer as RedisConsumer

from kameng.events.bell import EVENTS, TASKS, Bell
from kameng.events.letters import EVENTS_LANE, LANES, TASKS_LANE, Letter, Room

if TYPE_CHECKING:
    from redis.asyncio import Redis

ACTOR = "kameng"
"""The one actor of each lane."""

LANE_LIMIT = 256
"""Messages that may wait in a lane. What exceeds them waits in the database, where no lease runs out."""

IDLE_SECONDS = 1.0
"""How long an idle consumer waits for the bell before it looks by itself."""

THREAD_SECONDS = 0.25
"""How quickly an idle thread notices that it shall stop."""

RINGS = {EVENTS_LANE: EVENTS, TASKS_LANE: TASKS}


class WakingConsumer(RedisConsumer):
    """Waits for a call where Dramatiq's own sleeps, so work that arrives after a pause is begun at once."""

    def __init__(self, broker: LaneBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout=1)
        self.called = threading.Event()
        broker.consumers.add(self)

    def __next__(self) -> MessageProxy | None:
        self.called.clear()
        message: MessageProxy | None = super().__next__()
        if message is None:
            self.called.wait(IDLE_SECONDS)
        return message

    def ack(self, message: MessageProxy) -> None:
        """Say that a message is done; there is room for the next one."""
        super().ack(message)
        self.called.set()

    def nack(self, message: MessageProxy) -> None:
        """Say that a message is unusable; there is room for the next one."""
        super().nack(message)
        self.called.set()

    def close(self) -> None:
        """Return what was fetched and not begun."""
        messages = [Message.decode(data) for data in self.message_cache if data is not None]
        self.message_cache = []
        # Without the broker they cannot go back; whoever looks after the lease sends their work again.
        with suppress(redis.RedisError):
            self.requeue(messages)


class LaneBroker(RedisBroker):
    """The broker of one lane.

    Args:
        url: Redis or Valkey.
        namespace: what its keys begin with; the deployment's.
        lane: the queue.
    """

    def __init__(self, url: str, namespace: str, lane: str) -> None:
        client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=10)
        super().__init__(client=client, namespace=namespace, middleware=[])
        self.lane = lane
        self.consumers: WeakSet[WakingConsumer] = WeakSet()
        self.declare_queue(lane)

    @property
    def consumer_class(self) -> type[WakingConsumer]:
        """Ours."""
        return WakingConsumer

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue without Dramatiq's second one for delayed messages: ours wait in the database."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def post(self, content: tuple[Any, ...]) -> None:
        """Enqueue a message; blocks for a round trip."""
        self.enqueue(Message(queue_name=self.lane, actor_name=ACTOR, args=content, kwargs={}, options={}))

    def wake(self) -> None:
        """There may be messages."""
        for consumer in list(self.consumers):
            consumer.called.set()

    def close(self) -> None:
        """Close its connections."""
        self.client.close()


class Post:
    """Carries letters to the lanes' queues.

    Args:
        valkey: an open client.
        namespace: the deployment's.
        brokers: one for each lane.
        bell: calls the workers of other processes.
    """

    def __init__(self, valkey: Redis, namespace: str, brokers: dict[str, LaneBroker], bell: Bell) -> None:
        self._valkey = valkey
        self._namespace = namespace
        self._brokers = brokers
        self._bell = bell

    async def room(self) -> Room:
        """What can be sent now. A mark that is gone tells that all messages are gone with it."""
        async with self._valkey.pipeline(transaction=False) as asked:
            asked.set(f"{self._namespace}:mark", "1", nx=True)
            for lane in LANES:
                asked.llen(f"{self._namespace}:{lane}")
            marked, *waiting = await asked.execute()
        free = {lane: LANE_LIMIT - count for lane, count in zip(LANES, waiting, strict=True)}
        return Room(free, emptied=bool(marked))

    async def send(self, letters: Sequence[Letter]) -> None:
        """Enqueue letters and call the workers."""
        await asyncio.to_thread(self._enqueue, letters)
        for lane in {letter.lane for letter in letters}:
            self._bell.ring(RINGS[lane])

    def _enqueue(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            self._brokers[letter.lane].post(letter.content)


class Lane:
    """Takes one lane's messages and runs them on the event loop.

    Args:
        broker: the lane's.
        threads: how many messages are under way at once. A thread does nothing but wait for the loop.
        loop: where the kernel is open.
        call: what to do with a message's content.
    """

    def __init__(
        self,
        broker: LaneBroker,
        threads: int,
        loop: asyncio.AbstractEventLoop,
        call: Callable[..., Coroutine[Any, Any, None]],
    ) -> None:
        self._broker = broker
        self._loop = loop
        self._call = call
        self._calls: set[asyncio.Task[None]] = set()
        Actor(self._act, broker=broker, actor_name=ACTOR, queue_name=broker.lane, priority=0, options={})
        self._worker = DramatiqWorker(
            broker, worker_threads=threads, worker_timeout=int(THREAD_SECONDS * 1000)
        )

    def start(self) -> None:
        """Begin to take messages; returns at once."""
        self._worker.start()

    def stop(self, seconds: float) -> None:
        """Take no more messages, wait for those that have begun, return the others; blocks."""
        stop = threading.Thread(target=self._worker.stop, args=(int(seconds * 1000),), daemon=True)
        stop.start()
        while stop.is_alive():
            self._broker.wake()
            stop.join(THREAD_SECONDS)

    def cancel(self) -> None:
        """Break off what has begun; to be called on the loop."""
        for call in self._calls:
            call.cancel()

    def _act(self, *content: Any) -> None:
        with suppress(CancelledError):
            asyncio.run_coroutine_threadsafe(self._run(content), self._loop).result()

    async def _run(self, content: tuple[Any, ...]) -> None:
        call = asyncio.current_task()
        assert call is not None  # noqa: S101 - a coroutine that runs is in a task
        self._calls.add(call)
        try:
            await self._call(*content)
        finally:
            self._calls.discard(call)
