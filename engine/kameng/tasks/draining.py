"""Handle everything that is due here and now, without relay, broker or worker: for seeding and for tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kameng.errors import TransactionError
from kameng.events.delivering import Deliverer
from kameng.events.letters import LANES, TASKS_LANE, Room
from kameng.events.relaying import DueDeliveries, NewEvents
from kameng.settings import EventsSettings, TasksSettings
from kameng.tasks.dispatching import DueTasks
from kameng.tasks.performing import Performer

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def drain(kernel: Kernel) -> int:
    """Handle all events and run all tasks that are due, and those that come of them, until nothing is due.

    What fails waits for its next attempt, as it does in a worker; schedules are not looked at.

    Returns:
        how many messages that were.

    Raises:
        TransactionError: called inside a transaction, whose events nobody else can see yet.
    """
    if kernel.db.scope is not None:
        raise TransactionError(
            "Events were to be handled inside a transaction.", cure="Call drain() after the transaction."
        )
    events = kernel.settings.section("events", EventsSettings)
    tasks = kernel.settings.section("tasks", TasksSettings)
    deliverer = Deliverer(kernel, events.retry_seconds)
    performer = Performer(kernel, timedelta(seconds=tasks.lease_seconds), tasks.retry_seconds)
    subscriptions = kernel.events.subscriptions
    room = Room(dict.fromkeys(LANES, 1))
    count = 0
    while True:
        rounds = (
            NewEvents(subscriptions, timedelta(seconds=events.lease_seconds)),
            DueDeliveries(subscriptions, timedelta(seconds=events.lease_seconds)),
            DueTasks(timedelta(seconds=tasks.lease_seconds)),
        )
        async with kernel.db.connection() as connection:
            letters = [letter for each in rounds for letter in (await each.run(connection, room))[0]]
        for letter in letters:
            await (performer.perform if letter.lane == TASKS_LANE else deliverer.deliver)(*letter.content)
        count += len(letters)
        if not letters:
            return count
