"""Sending messages that are due.

A message is claimed by a lease, sent, and its receipt written: a task that runs twice finds nothing to do. If the worker dies in
between, the lease ends and it is sent once more: at least once is all that channels to the outside allow.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import Counter

from kameng.audit.details import storable
from kameng.events.failure import DATABASE_OUTAGES, describe
from kameng.notify import statements
from kameng.notify.contract import Notifications, NotNow, Undeliverable
from kameng.notify.errors import TemplateFault
from kameng.notify.telling import Telling, content_of, place
from kameng.vault import VaultError

if TYPE_CHECKING:
    from kameng.kernel import Kernel

PAUSES = (10, 60, 300, 900, 1_800, 3_600)
"""Seconds after each failure; the last one again and again, until the message is given up."""

OUTAGE_SECONDS = 30.0
"""How long the others wait when the channel itself does not answer."""

MESSAGES = Counter(
    "kameng_notifications_total", "Messages by channel and result: sent, failed, dead.", ["channel", "result"]
)

log = structlog.get_logger(__name__)


async def send_due(kernel: Kernel) -> None:
    """The task: send what is due, until nothing is or the channel does not answer."""
    telling = telling_of(kernel)
    lease = timedelta(seconds=60 + 4 * telling.settings.smtp_timeout_seconds * statements.BATCH)
    while True:
        rows = await kernel.db.fetch(statements.CLAIM, lease)
        for index, row in enumerate(rows):
            try:
                outage = await _send(kernel, telling, row)
            except BaseException:
                await _give_back(kernel, rows[index + 1 :], 0.0)
                raise
            if outage:
                await _give_back(kernel, rows[index + 1 :], OUTAGE_SECONDS)
                return
        if not rows:
            return


def telling_of(kernel: Kernel) -> Telling:
    """The kernel's own provider of notifications."""
    service: Any = kernel.services.get(Notifications)
    assert isinstance(service, Telling)  # noqa: S101 - whoever replaces it replaces this task with it
    return service


async def _send(kernel: Kernel, telling: Telling, row: Any) -> bool:
    """Send one message; whether the channel is out."""
    message, name = row["id"], row["channel"]
    outage = False
    try:
        channel = telling.channels.get(name)
        if channel is None or not channel.ready:
            raise NotNow(f"The channel {name} is not set up.")
        address, values = content_of(await kernel.vault.open(row["data_key"], row["sealed"], place(message)))
        text = telling.templates.render(row["kind"], row["locale"], values)
        answer = await channel.send(message, address, text)
    except NotNow as error:
        outage = error.outage
        await _failed(kernel, row, str(error), for_good=False)
    except Undeliverable as error:
        await _failed(kernel, row, str(error), for_good=True)
    except (TemplateFault, VaultError) as error:
        await _failed(kernel, row, describe(error), for_good=True)
    except DATABASE_OUTAGES:
        raise
    except Exception as error:  # a channel's own fault concerns its message, never the others
        await _failed(kernel, row, describe(error), for_good=False)
    else:
        await kernel.db.execute(statements.SENT, message, storable(answer))
        MESSAGES.labels(name, "sent").inc()
    return outage


async def _failed(kernel: Kernel, row: Any, error: str, *, for_good: bool) -> None:
    pause = PAUSES[min(row["attempts"], len(PAUSES)) - 1] * random.uniform(0.85, 1.15)  # noqa: S311 - spreads load
    state = await kernel.db.fetchval(
        statements.FAILED,
        row["id"],
        row["attempts"],
        storable(error[:500]),
        for_good,
        timedelta(seconds=pause),
    )
    if state is None:
        return
    dead = state == "dead"
    MESSAGES.labels(row["channel"], "dead" if dead else "failed").inc()
    (log.error if dead else log.warning)(
        "a notification could not be sent and is a dead letter"
        if dead
        else "a notification could not be sent",
        message=str(row["id"]),
        kind=row["kind"],
        channel=row["channel"],
        attempt=row["attempts"],
        error=error,
    )


async def _give_back(kernel: Kernel, rows: Any, seconds: float) -> None:
    if rows:
        await kernel.db.execute(
            statements.GIVE_BACK,
            [row["id"] for row in rows],
            [row["attempts"] for row in rows],
            timedelta(seconds=seconds),
        )


async def prune(kernel: Kernel) -> None:
    """The task: forget what was sent or given up long ago."""
    keep = timedelta(days=telling_of(kernel).settings.keep_days)
    while (await kernel.db.execute(statements.PRUNE, keep)).endswith(" 2000"):
        pass
