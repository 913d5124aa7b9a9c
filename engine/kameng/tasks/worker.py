"""A worker: the lanes of events and tasks, and by default the relay, on the running loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

import structlog

from kameng.events.bell import EVENTS, RELAY, TASKS, deployment_key
from kameng.events.delivering import Deliverer
from kameng.events.failure import Patience, describe, trace
from kameng.events.letters import EVENTS_LANE, LANES, TASKS_LANE
from kameng.events.relay import Relay
from kameng.events.relaying import DueDeliveries, EventsGauge, NewEvents
from kameng.settings import EventsSettings, TasksSettings
from kameng.tasks.broker import Lane, LaneBroker, Post
from kameng.tasks.dispatching import DueTasks, Schedules, TasksGauge
from kameng.tasks.performing import Performer

if TYPE_CHECKING:
    from kameng.kernel import Kernel

RETURN_SECONDS = 5.0
"""How long a worker that breaks its work off waits for the last of it to end."""

log = structlog.get_logger("kameng.tasks")


class Worker:
    """Handles events and runs tasks for as long as its block lasts.

        async with kernel, Worker(kernel):
            await stop.wait()

    Leaving the block finishes what has begun, within ``[tasks] stop_seconds``; what takes longer goes back.

    Args:
        kernel: an open kernel.
        lanes: whether to handle events and run tasks.
        relay: whether to stand by as relay and scheduler.
    """

    def __init__(self, kernel: Kernel, *, lanes: bool = True, relay: bool = True) -> None:
        self._kernel = kernel
        self._with_lanes = lanes
        self._with_relay = relay
        self._events = kernel.settings.section("events", EventsSettings)
        self._tasks = kernel.settings.section("tasks", TasksSettings)
        self._deliverer = Deliverer(kernel, self._events.retry_seconds)
        self._performer = Performer(
            kernel, timedelta(seconds=self._tasks.lease_seconds), self._tasks.retry_seconds
        )
        self._brokers: dict[str, LaneBroker] = {}
        self._lanes: list[Lane] = []
        self._relay: Relay | None = None
        self._background: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Worker:
        kernel, loop = self._kernel, asyncio.get_running_loop()
        namespace = await deployment_key(kernel)
        url = kernel.settings.engine.redis_url
        self._brokers = {lane: LaneBroker(url, namespace, lane) for lane in LANES}
        if self._with_relay:
            post = Post(kernel.valkey, namespace, self._brokers, kernel.events.bell)
            self._relay = Relay(kernel, post, self._rounds())
            self._background.append(loop.create_task(_steadily(self._relay.run)))
        listen = partial(kernel.events.bell.listen, self._heard)
        self._background.append(loop.create_task(_steadily(listen)))
        if self._with_lanes:
            threads = kernel.settings.engine.worker_threads
            self._background.append(loop.create_task(_steadily(self._performer.keep_alive)))
            self._lanes = [
                Lane(self._brokers[EVENTS_LANE], threads, loop, self._deliverer.deliver),
                Lane(self._brokers[TASKS_LANE], threads, loop, self._performer.perform),
            ]
            for lane in self._lanes:
                lane.start()
        log.info("the worker is ready", lanes=self._with_lanes, relay=self._with_relay)
        return self

    def _rounds(self) -> list[NewEvents | DueDeliveries | EventsGauge | Schedules | DueTasks | TasksGauge]:
        lease = timedelta(seconds=self._events.lease_seconds)
        subscriptions = self._kernel.events.subscriptions
        return [
            NewEvents(subscriptions, lease),
            DueDeliveries(subscriptions, lease),
            Schedules(self._kernel.tasks.known),
            DueTasks(timedelta(seconds=self._tasks.lease_seconds)),
            EventsGauge(),
            TasksGauge(),
        ]

    def _heard(self, whom: bytes) -> None:
        if whom == RELAY and self._relay is not None:
            self._relay.wake()
        if whom == EVENTS:
            self._brokers[EVENTS_LANE].wake()
        if whom == TASKS:
            self._brokers[TASKS_LANE].wake()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log.info("the worker stops")
        self._deliverer.stop()
        self._performer.stop()
        grace = self._tasks.stop_seconds
        last_call = asyncio.get_running_loop().call_later(grace, self.cancel)
        try:
            stops = (asyncio.to_thread(lane.stop, grace + RETURN_SECONDS) for lane in self._lanes)
            await asyncio.gather(*stops)
        finally:
            last_call.cancel()
            for task in self._background:
                task.cancel()
            await asyncio.gather(*self._background, return_exceptions=True)
            for broker in self._brokers.values():
                broker.close()
        log.info("the worker has stopped")

    def cancel(self) -> None:
        """Break off what is under way and return it: deliveries roll back, tasks go to another worker."""
        self._performer.cancel()
        if self._lanes:
            self._lanes[0].cancel()


async def _steadily(work: Callable[[], Awaitable[None]]) -> None:
    """Run something that never ends, and again if it ends nevertheless."""
    patience = Patience(first=1.0, longest=30.0)
    while True:
        try:
            await work()
        except Exception as error:  # a fault in one part must not end the worker unnoticed
            log.error("a part of the worker failed", error=describe(error), trace=trace(error))
        await asyncio.sleep(patience.next())
