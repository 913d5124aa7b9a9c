"""A module whose handlers and tasks are slow, flaky and chained, for the test that kills its workers."""

from __future__ import annotations

import asyncio
import random

from kameng.events import Event
from kameng.kernel import Kernel
from kameng.module import Handler, Module, Task

TABLES = """
create table fact (number int primary key);
create table effect (handler text not null, number int not null);
"""
"""``effect`` has no unique key: an effect that happens twice is there twice."""


class Happened(Event, frozen=True, kw_only=True):
    name = "faults.happened"
    number: int


class Followed(Event, frozen=True, kw_only=True):
    name = "faults.followed"
    number: int


async def _stumble() -> None:
    """Take some time, so that kills hit open transactions, and fail now and then."""
    await asyncio.sleep(random.uniform(0, 0.004))
    if random.random() < 0.02:
        raise RuntimeError("stumbled")


async def one(kernel: Kernel, event: Happened) -> None:
    await kernel.db.execute("insert into effect values ('one', $1)", event.number)
    await _stumble()


async def many(kernel: Kernel, events: list[Happened]) -> None:
    numbers = [event.number for event in events]
    await kernel.db.execute("insert into effect select 'many', unnest($1::int[])", numbers)
    await _stumble()


async def follow(kernel: Kernel, events: list[Happened]) -> None:
    await kernel.events.emit(*(Followed(number=event.number) for event in events))
    for event in events:
        if event.number % 10 == 0:
            await kernel.tasks.enqueue("faults.note", number=event.number)
    await _stumble()


async def followed(kernel: Kernel, events: list[Followed]) -> None:
    numbers = [event.number for event in events]
    await kernel.db.execute("insert into effect select 'followed', unnest($1::int[])", numbers)
    await _stumble()


async def note(kernel: Kernel, number: int) -> None:
    await _stumble()
    await kernel.db.execute("insert into effect values ('note', $1)", number)


FAULTS = Module(
    name="faults",
    version="1.0.0",
    events=(Happened, Followed),
    handlers=(
        Handler(name="one", event=Happened, call=one, attempts=100),
        Handler(name="many", event=Happened, call=many, batch=True, attempts=100),
        Handler(name="follow", event=Happened, call=follow, batch=True, attempts=100),
        Handler(name="followed", event=Followed, call=followed, batch=True, attempts=100),
    ),
    tasks=(Task(name="note", call=note, attempts=100),),
)
