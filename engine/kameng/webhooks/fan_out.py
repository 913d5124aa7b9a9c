"""From events to deliveries: one for each endpoint that wants to hear of it, however often the event is handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.events import Happened
from kameng.ids import new_id
from kameng.webhooks import statements
from kameng.webhooks.endpoints import settings_of

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def fan_out(kernel: Kernel, events: list[Happened]) -> None:
    """Owe these events to the endpoints that want them."""
    by_number = {event.number: event for event in events}
    wanted = await kernel.db.fetch(
        statements.FAN_OUT, list(by_number), [event.topic for event in by_number.values()]
    )
    if wanted:
        await owe(kernel, [(row["endpoint"], by_number[row["number"]]) for row in wanted])


async def owe(kernel: Kernel, pairs: Sequence[tuple[UUID, Happened]]) -> int:
    """Owe events to endpoints, each pair once for ever; returns how many are new. One statement, and a wake-up."""
    answer = await kernel.db.execute(
        statements.OWE,
        [new_id() for _ in pairs],
        [endpoint for endpoint, _ in pairs],
        [event.number for _, event in pairs],
        [event.topic for _, event in pairs],
        [event.at for _, event in pairs],
        [event.payload for _, event in pairs],
        timedelta(hours=settings_of(kernel).give_up_hours),
    )
    count = int(answer.split()[-1])
    if count:
        await kernel.tasks.enqueue("webhooks.send")
    return count
