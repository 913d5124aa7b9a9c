"""What becomes of an attempt: told, to be tried again after a pause, or given up; and of an endpoint that keeps failing."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from prometheus_client import Counter

from kameng.audit.details import storable
from kameng.ids import new_id
from kameng.webhooks import statements
from kameng.webhooks.endpoints import settings_of, watch_wanted
from kameng.webhooks.events import WebhookEndpointDisabled

if TYPE_CHECKING:
    from kameng.kernel import Kernel

PAUSES = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 43_200, 43_200, 43_200, 43_200)
"""Seconds after each failed attempt: a hiccup is over in seconds, and a receiver that breaks on a Friday evening is
mended on Monday. With the time that attempts take it is a little more than three days."""

REST_SECONDS = (30.0, 900.0)
"""How long an endpoint that fails again and again is left alone, at first and at most."""

ATTEMPTS = Counter(
    "kameng_webhooks_attempts_total",
    "Attempts to deliver webhooks by result: delivered, failed, dead.",
    ["result"],
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    Attributes:
        milliseconds: how long it took.
        status: the HTTP status, if there was an answer.
        error: what went wrong, without values; None if nothing did.
        excerpt: the beginning of the answer's body; None where it may repeat what must not be kept.
        retry_after: seconds that the endpoint wants to be left alone.
        gone: whether the endpoint said that it wants nothing any more.
        blames_endpoint: whether a failure is the endpoint's own.
    """

    milliseconds: int
    status: int | None = None
    error: str | None = None
    excerpt: str | None = None
    retry_after: float | None = None
    gone: bool = False
    blames_endpoint: bool = True


async def record(
    kernel: Kernel, endpoint: UUID, delivery: UUID, attempt: int, outcome: Outcome, *, is_test: bool
) -> None:
    """Write down what came of an attempt.

    Args:
        kernel: an open kernel.
        endpoint, delivery: of what it was one.
        attempt: which one.
        outcome: what came of it.
        is_test: whether it was a test, which is tried once and does not count against the endpoint.
    """
    db = kernel.db
    async with db.transaction():
        # The endpoint first, as everywhere.
        if outcome.error is None:
            await db.execute(statements.RECOVER, endpoint)
            await db.execute(statements.SUCCEED, delivery, outcome.status)
            state = "delivered"
        else:
            if outcome.blames_endpoint and not is_test:
                await _count_failure(kernel, endpoint, outcome)
            last = is_test or outcome.gone or attempt > len(PAUSES)
            pause = _jittered(max(PAUSES[min(attempt, len(PAUSES)) - 1], outcome.retry_after or 0.0))
            state = await db.fetchval(
                statements.FAIL, delivery, attempt, outcome.status, storable(outcome.error), last, pause
            )
        await db.execute(
            statements.LOG_ATTEMPT,
            new_id(),
            delivery,
            outcome.milliseconds,
            outcome.status,
            None if outcome.error is None else storable(outcome.error),
            None if outcome.excerpt is None else storable(outcome.excerpt),
        )
    if state is not None:
        ATTEMPTS.labels("failed" if state == "waiting" else state).inc()
    if state == "dead":
        log.warning(
            "a webhook could not be delivered and is a dead letter",
            delivery=str(delivery),
            endpoint=str(endpoint),
            attempt=attempt,
            error=outcome.error,
        )


async def _count_failure(kernel: Kernel, key: UUID, outcome: Outcome) -> None:
    db = kernel.db
    before = await db.fetchrow(statements.LOCK_ENDPOINT, key)
    if before is None:
        return
    failures = before["failures"] + 1
    rest = None
    if failures >= statements.CIRCUIT_FAILURES:
        first, most = REST_SECONDS
        rest = _jittered(min(first * 2.0 ** min(failures - statements.CIRCUIT_FAILURES, 20), most))
    after = await db.fetchrow(
        statements.COUNT_FAILURE,
        key,
        rest,
        outcome.gone,
        statements.CIRCUIT_FAILURES,
        timedelta(hours=settings_of(kernel).disable_after_hours),
    )
    if after is not None and before["state"] == "enabled" and after["state"] == "disabled":
        await watch_wanted(kernel)
        await kernel.events.emit(
            WebhookEndpointDisabled(endpoint=str(key), label=before["name"], reason=after["reason"])
        )
        log.error("a webhook endpoint was switched off", endpoint=str(key), reason=after["reason"])


def _jittered(seconds: float) -> timedelta:
    return timedelta(seconds=seconds * random.uniform(0.85, 1.15))  # noqa: S311 - spreads load, hides nothing
