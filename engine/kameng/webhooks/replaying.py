"""Sending again: one delivery, those of a time range, or a test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import as_json
from kameng.errors import InvalidInput, NotFound
from kameng.events import Happened
from kameng.ids import new_id
from kameng.webhooks import statements
from kameng.webhooks.endpoints import settings_of
from kameng.webhooks.fan_out import owe

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.kernel import Kernel

TEST_TOPIC = "webhooks.test"
"""The type of a test message."""

LONGEST_RANGE = timedelta(days=31)


async def replay(context: Context, deliveries: Sequence[UUID]) -> int:
    """Send deliveries again that are dead or were told, with all their attempts; returns how many there were.

    Receivers see the same ids as before, so one that keeps them knows what it has had.
    """
    async with context.db.transaction():
        count = await _replay(context.kernel, deliveries)
        for delivery in deliveries:
            await _record(context, "webhooks.replay_delivery", f"webhook_delivery:{delivery}", {})
    return count


async def replay_range(
    context: Context,
    endpoint: UUID,
    since: datetime,
    until: datetime,
    *,
    delivered: bool = False,
    missed: bool = False,
) -> UUID:
    """Have a worker send again what an endpoint did not get of a stretch of time; returns the task's id.

    Args:
        context: who asks.
        endpoint: whose.
        since, until: when the events happened.
        delivered: also what it got.
        missed: also what it was never owed, since it was disabled or did not want it; as far back as events are kept.

    Raises:
        InvalidInput: the stretch is empty or longer than a month.
        NotFound: there is no such endpoint.
    """
    if not timedelta() < until - since <= LONGEST_RANGE:
        raise InvalidInput(
            "The time range is empty, or longer than 31 days.", cure="Ask for less.", path=("input", "until")
        )
    async with context.db.transaction():
        if await context.db.fetchval("select id from webhooks_endpoint where id = $1", endpoint) is None:
            raise NotFound("There is no such endpoint.", cure="Look at the list of endpoints.")
        task = await context.kernel.tasks.enqueue(
            "webhooks.replay_range",
            endpoint=str(endpoint),
            since=since.isoformat(),
            until=until.isoformat(),
            delivered=delivered,
            missed=missed,
        )
        await _record(
            context,
            "webhooks.replay_range",
            f"webhook_endpoint:{endpoint}",
            {
                "since": since.isoformat(),
                "until": until.isoformat(),
                "delivered": delivered,
                "missed": missed,
            },
        )
    return task


async def perform_range(
    kernel: Kernel, *, endpoint: str, since: str, until: str, delivered: bool, missed: bool
) -> None:
    """The task behind `replay_range`, in transactions of bounded size. Run twice, it replays once more what was sent
    meanwhile; receivers know it by its id."""
    key, begin, end = UUID(endpoint), datetime.fromisoformat(since), datetime.fromisoformat(until)
    after = UUID(int=0)
    while True:
        async with kernel.db.transaction():
            found = await kernel.db.fetch(statements.FIND_RANGE, key, begin, end, delivered, after)
            if not found:
                break
            await _replay(kernel, [row["id"] for row in found])
        after = found[-1]["id"]
    number = 0
    while missed:
        async with kernel.db.transaction():
            rows = await kernel.db.fetch(statements.FIND_MISSED, key, begin, end, number)
            if not rows:
                break
            await owe(
                kernel,
                [
                    (
                        key,
                        Happened(
                            number=row["id"], topic=row["topic"], at=row["created_at"], payload=row["payload"]
                        ),
                    )
                    for row in rows
                ],
            )
        number = rows[-1]["id"]


async def send_test(context: Context, endpoint: UUID) -> UUID:
    """Send a message of type ``webhooks.test`` to an endpoint once, also if it is disabled; returns the delivery's key.

    Raises:
        NotFound: there is no such endpoint.
    """
    delivery = new_id()
    async with context.db.transaction():
        made = await context.db.fetchval(
            """
            insert into webhooks_delivery (id, endpoint, topic, happened_at, data, next_at, gives_up_at, created_at)
            select $1, id, $3, now(), $4::jsonb, now(), now() + interval '1 hour', now()
            from webhooks_endpoint where id = $2 returning id
            """,
            delivery,
            endpoint,
            TEST_TOPIC,
            as_json({"endpoint": str(endpoint), "note": "This is a test. Nothing has happened."}),
        )
        if made is None:
            raise NotFound("There is no such endpoint.", cure="Look at the list of endpoints.")
        await context.kernel.tasks.enqueue("webhooks.send")
        await _record(context, "webhooks.send_test", f"webhook_endpoint:{endpoint}", {})
    return delivery


async def _replay(kernel: Kernel, deliveries: Sequence[UUID]) -> int:
    again = timedelta(hours=settings_of(kernel).give_up_hours)
    answer = await kernel.db.execute(statements.REPLAY, list(deliveries), again)
    count = int(answer.split()[-1])
    if count:
        await kernel.tasks.enqueue("webhooks.send")
    return count


async def _record(context: Context, action: str, subject: str, details: dict[str, str | bool]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=subject,
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
