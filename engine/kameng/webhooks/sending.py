"""Sending what is due: many endpoints side by side in one task, a few requests to each, none waiting for another.

Claims are leases in the database, so a killed worker's deliveries are sent again by the next one; the receiver knows them
by their id. In a process at most one run is under way, since a run takes all that is due; further tasks only wake it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from kameng.errors import KamengError
from kameng.events.failure import DATABASE_OUTAGES, describe
from kameng.webhooks import statements
from kameng.webhooks.attempts import Outcome, record
from kameng.webhooks.destination import Destination, Resolve, look_up
from kameng.webhooks.documents import asked_body, plain_body
from kameng.webhooks.endpoints import (
    PAYLOADS_SCOPE,
    StoredEndpoint,
    read_endpoints,
    secrets_of,
    settings_of,
)
from kameng.webhooks.errors import PayloadFailed
from kameng.webhooks.signing import headers_for

if TYPE_CHECKING:
    from kameng.kernel import Kernel

RUN_SECONDS = 30.0
"""How long a run goes on claiming before it makes room for other tasks, and enqueues itself anew."""

POLL_SECONDS = 0.25
"""How often a run that waits for answers looks for further deliveries."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is this process's to send.

    Attributes:
        id: names it.
        endpoint: whose it is.
        topic, happened_at, data: the event.
        data_key, sealed: the body that was made of it at the first attempt, if a document makes it.
        attempts: which attempt this is.
        is_test: whether it is a test.
    """

    id: UUID
    endpoint: UUID
    topic: str
    happened_at: datetime
    data: str
    data_key: UUID | None
    sealed: bytes | None
    attempts: int
    is_test: bool

    @property
    def message(self) -> str:
        """The message's id, the same at each attempt."""
        return f"msg_{self.id.hex}"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Claim:
        """The claim in a row."""
        return cls(**dict(row))


class Sender:
    """Sends what is due.

    Args:
        kernel: an open kernel.
        resolve: looks names of hosts up.
    """

    def __init__(self, kernel: Kernel, resolve: Resolve = look_up) -> None:
        self._kernel = kernel
        self._resolve = resolve
        self._running = False
        self._again = False

    async def run(self) -> None:
        """Send what is due until nothing is, or for `RUN_SECONDS`. Returns at once where a run is under way here."""
        self._again = True
        if self._running:
            return
        self._running = True
        flying: set[asyncio.Task[None]] = set()
        try:
            await self._run(flying)
        finally:
            self._running = False
            # What is broken off comes again when its lease ends.
            for each in flying:
                each.cancel()
            await asyncio.gather(*flying, return_exceptions=True)

    async def _run(self, flying: set[asyncio.Task[None]]) -> None:
        most = settings_of(self._kernel).total_concurrency
        ends = time.monotonic() + RUN_SECONDS
        while True:
            self._again = False
            claims: Sequence[Claim] = []
            if time.monotonic() < ends and len(flying) < most:
                claims = await self._claim(most - len(flying))
                flying |= {asyncio.create_task(self._send_all(part)) for part in _by_endpoint(claims)}
            if not flying and not claims:
                if time.monotonic() >= ends:
                    await self._kernel.tasks.enqueue("webhooks.send")
                    return
                if not self._again:
                    return
                continue
            done, _ = await asyncio.wait(flying, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            flying -= done
            for each in done:
                if (error := each.exception()) is not None:
                    raise error

    async def _claim(self, most: int) -> list[Claim]:
        settings, db = settings_of(self._kernel), self._kernel.db
        lease = timedelta(seconds=2 * settings.timeout_seconds + 60)
        async with db.transaction():
            rows = await db.fetch(statements.CLAIM_TESTS, lease, most)
            if len(rows) < most:
                rows += await db.fetch(statements.CLAIM, lease, settings.concurrency, most - len(rows))
        return [Claim.of(row) for row in rows]

    async def _send_all(self, claims: Sequence[Claim]) -> None:
        """Send what was claimed of one endpoint."""
        key = claims[0].endpoint
        endpoint = (await read_endpoints(self._kernel, [key])).get(key)
        if endpoint is None:  # deleted, and its deliveries with it
            return
        secrets = (await secrets_of(self._kernel, [key])).get(key, [])
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(self._send(endpoint, secrets, claim))

    async def _send(self, endpoint: StoredEndpoint, secrets: Sequence[bytes], claim: Claim) -> None:
        began = time.monotonic()
        try:
            outcome = await self._attempt(endpoint, secrets, claim)
        except DATABASE_OUTAGES:
            raise
        except Exception as error:  # whatever one delivery stumbles over must not stop the others
            took = int((time.monotonic() - began) * 1000)
            outcome = Outcome(
                took, error=describe(error), blames_endpoint=not isinstance(error, PayloadFailed)
            )
            if not isinstance(error, KamengError):
                log.error("sending a webhook failed", delivery=str(claim.id), error=describe(error))
        await record(self._kernel, endpoint.id, claim.id, claim.attempts, outcome, is_test=claim.is_test)

    async def _attempt(self, endpoint: StoredEndpoint, secrets: Sequence[bytes], claim: Claim) -> Outcome:
        # Here, since web processes never send.
        from kameng.webhooks.posting import post

        settings = settings_of(self._kernel)
        destination = Destination.read(endpoint.url, settings)
        body = await self._body(endpoint, claim)
        began = time.monotonic()
        headers = headers_for(claim.message, int(time.time()), body, secrets)
        reply = await post(destination, headers, body, settings, self._resolve)
        took = int((time.monotonic() - began) * 1000)
        # An answer may repeat what was sent, and what a document makes may hold secrets.
        excerpt = None if endpoint.document else reply.excerpt.decode("utf-8", "replace")
        if 200 <= reply.status < 300:
            return Outcome(took, reply.status, excerpt=excerpt)
        error = f"WEBHOOK_REFUSED: The endpoint answered {reply.status}."
        if 300 <= reply.status < 400:
            error = f"WEBHOOK_REDIRECTED: The endpoint answered {reply.status}; redirects are not followed."
        return Outcome(
            took,
            reply.status,
            error=error,
            excerpt=excerpt,
            retry_after=reply.retry_after if reply.status in (429, 503) else None,
            gone=reply.status == 410,
        )

    async def _body(self, endpoint: StoredEndpoint, claim: Claim) -> bytes:
        vault, place = self._kernel.vault, b"webhooks.payload" + claim.id.bytes
        if claim.sealed is not None and claim.data_key is not None:
            return await vault.open(claim.data_key, claim.sealed, place)
        if endpoint.document is None or claim.is_test:
            return plain_body(claim.topic, claim.happened_at, claim.data)
        body = await asked_body(self._kernel, endpoint, claim.topic, claim.happened_at, claim.data)
        key = await vault.current_key(PAYLOADS_SCOPE)
        [sealed] = await vault.seal_many(key, [(body, place)])
        await self._kernel.db.execute(statements.KEEP_PAYLOAD, claim.id, key.id, sealed)
        return body


def _by_endpoint(claims: Sequence[Claim]) -> list[list[Claim]]:
    parts: dict[UUID, list[Claim]] = {}
    for claim in claims:
        parts.setdefault(claim.endpoint, []).append(claim)
    return list(parts.values())


async def send_due(kernel: Kernel) -> None:
    """The task: give up what is too old, then send what is due."""
    while (await kernel.db.execute(statements.GIVE_UP)).endswith(" 1000"):
        pass
    await kernel.services.get(Sender).run()


async def prune(kernel: Kernel) -> None:
    """The task: forget finished deliveries and secrets that ended."""
    keep = timedelta(days=settings_of(kernel).keep_days)
    while (await kernel.db.execute(statements.PRUNE, keep)).endswith(" 2000"):
        pass
    await kernel.db.execute(statements.PRUNE_SECRETS)
