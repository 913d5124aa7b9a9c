"""A module that publishes and handles events, for the tests of events and tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kameng.events import Event
from kameng.kernel import Kernel
from kameng.module import Handler, Module, Task


class Counted(Event, frozen=True, kw_only=True):
    name = "sample.counted"
    number: int
    note: str = ""


class Unheard(Event, frozen=True, kw_only=True):
    name = "sample.unheard"


async def write_one(kernel: Kernel, event: Counted) -> None:
    await kernel.db.execute("insert into effect values ('one', $1)", event.number)


async def write_many(kernel: Kernel, events: list[Counted]) -> None:
    await kernel.db.execute(
        "insert into effect select 'many', unnest($1::int[])", [event.number for event in events]
    )


ONE = Handler(name="one", event=Counted, call=write_one)
MANY = Handler(name="many", event=Counted, call=write_many, batch=True)


def sample(*handlers: Handler, tasks: tuple[Task, ...] = (), name: str = "sample") -> Module:
    """A module with these handlers and tasks."""
    return Module(name=name, version="1.0.0", events=(Counted, Unheard), handlers=handlers, tasks=tasks)


async def prepare(kernel: Kernel) -> Kernel:
    """Create the table that the handlers write to; it has no unique key, so that a double effect shows."""
    await kernel.db.execute("create table effect (handler text not null, number int not null)")
    return kernel


async def effects(kernel: Kernel, handler: str) -> list[int]:
    """What a handler has done, with duplicates."""
    rows = await kernel.db.fetch("select number from effect where handler = $1 order by number", handler)
    return [row["number"] for row in rows]


async def emit(kernel: Kernel, *numbers: int) -> None:
    """Publish an event for each number, in one transaction."""
    async with kernel.db.transaction():
        await kernel.events.emit(*(Counted(number=number) for number in numbers))


async def deliveries(kernel: Kernel) -> list[tuple[Any, ...]]:
    """All deliveries: event's number, handler, state, attempts."""
    rows = await kernel.db.fetch(
        """select (event.payload ->> 'number')::int, handler, state, attempts
           from kernel_delivery join kernel_outbox as event on event.id = event_id order by 1, 2"""
    )
    return [tuple(row) for row in rows]


async def make_due(kernel: Kernel) -> None:
    """Let the time pass that deliveries and tasks wait for."""
    await kernel.db.execute("update kernel_delivery set next_at = now() - interval '1 second'")
    await kernel.db.execute("update kernel_task set next_at = now() - interval '1 second'")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds; a test that waits in vain is ended by the runner."""
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.02)
