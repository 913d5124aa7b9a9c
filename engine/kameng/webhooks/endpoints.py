"""Endpoints: saving, switching on and off, deleting; and the secrets that they check signatures with."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.audit import JSON
from kameng.db import as_json
from kameng.errors import Forbidden, InvalidInput, NotFound
from kameng.events import Event
from kameng.graphql.context import LOCALES
from kameng.ids import new_id
from kameng.webhooks import statements
from kameng.webhooks.destination import Destination
from kameng.webhooks.documents import Variable, check_document
from kameng.webhooks.errors import EndpointRefused
from kameng.webhooks.settings import WebhooksSettings
from kameng.webhooks.signing import new_secret

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.kernel import Kernel

OBSERVER = "webhooks.fan_out"
"""The observer that turns events into deliveries."""

SECRETS_SCOPE = "webhooks.secrets"
PAYLOADS_SCOPE = "webhooks.payloads"

MOST_ENDPOINTS = 500
"""Endpoints of a deployment."""

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_PERMISSION = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_.]+")


class EndpointDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as somebody wants it.

    Attributes:
        name: for people.
        url: where to send.
        topics: names of the events.
        document: a query whose answer is sent as the event's data; None: the event's own fields.
        document_schema: against which schema.
        variables: what the query's variables are taken from.
        permissions: what the query may see.
        locale: the language of its texts.
    """

    name: str
    url: str
    topics: tuple[str, ...]
    document: str | None = None
    document_schema: str = "admin"
    variables: tuple[Variable, ...] = ()
    permissions: tuple[str, ...] = ()
    locale: str = LOCALES[0]


class StoredEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as it is kept; see `EndpointDraft` and the table."""

    id: UUID
    name: str
    url: str
    topics: tuple[str, ...]
    state: str
    reason: str
    document: str | None
    document_schema: str
    variables: tuple[Variable, ...]
    permissions: frozenset[str]
    locale: str
    failures: int
    failing_since: datetime | None
    resume_at: datetime | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> StoredEndpoint:
        """The endpoint in a row of its table."""
        read = msgspec.json.decode
        values = dict(row)
        values |= {
            "topics": tuple(read(row["topics"])),
            "variables": tuple(read(row["variables"], type=list[Variable])),
            "permissions": frozenset(read(row["permissions"])),
        }
        return cls(**values)


def settings_of(kernel: Kernel) -> WebhooksSettings:
    """The section ``[webhooks]``."""
    return kernel.settings.section("webhooks", WebhooksSettings)


def published(kernel: Kernel) -> dict[str, type[Event]]:
    """The events that the enabled modules publish, by topic."""
    return {event.topic(): event for module in kernel.modules for event in module.events}


async def save(context: Context, draft: EndpointDraft, key: UUID | None = None) -> UUID:
    """Make an endpoint with a fresh secret, or change one; returns its key.

    Whoever asks gives away no more than he holds: each permission of the endpoint has to be his own.

    Raises:
        EndpointRefused: the address, an event, the document or a variable cannot be used.
        Forbidden: a permission is not held by whoever asks.
        NotFound: there is no such endpoint.
    """
    kernel, db = context.kernel, context.db
    _check(context, draft)
    values = (
        draft.name.strip(),
        draft.url,
        as_json(sorted(set(draft.topics))),
        draft.document,
        draft.document_schema,
        as_json(msgspec.to_builtins(draft.variables)),
        as_json(sorted(set(draft.permissions))),
        draft.locale,
    )
    created = key is None
    async with db.transaction():
        if key is None:
            # Before any lock: the reservation of the vault may have to wait.
            data_key = await kernel.vault.current_key(SECRETS_SCOPE)
            if await db.fetchval("select count(*) from webhooks_endpoint") >= MOST_ENDPOINTS:
                raise InvalidInput(
                    f"There are {MOST_ENDPOINTS} endpoints, which is the most.",
                    cure="Delete one that nobody needs.",
                )
            key = new_id()
            await db.execute(
                "insert into webhooks_endpoint (id, name, url, topics, document, document_schema, variables,"
                " permissions, locale, created_at, changed_at)"
                " values ($1, $2, $3, $4::jsonb, $5, $6, $7::jsonb, $8::jsonb, $9, now(), now())",
                key,
                *values,
            )
            await _add_secret(kernel, key, data_key)
        else:
            before = await _lock(kernel, key)
            _insist_on_holding(context, before.permissions)
            await db.execute(
                "update webhooks_endpoint set name = $2, url = $3, topics = $4::jsonb, document = $5,"
                " document_schema = $6, variables = $7::jsonb, permissions = $8::jsonb, locale = $9,"
                " failures = 0, failing_since = null, resume_at = null, changed_at = now() where id = $1",
                key,
                *values,
            )
        await watch_wanted(kernel)
        await _record(
            context,
            "webhooks.create_endpoint" if created else "webhooks.change_endpoint",
            key,
            {
                "name": draft.name,
                # An address may carry a token in its path, so only the host is written down for good.
                "host": Destination.read(draft.url, settings_of(kernel)).host,
                "topics": sorted(set(draft.topics)),
                "document": draft.document is not None,
                "permissions": sorted(set(draft.permissions)),
            },
        )
    return key


async def set_enabled(context: Context, key: UUID, *, enabled: bool) -> None:
    """Switch an endpoint on, with a clean slate, or off. What waited meanwhile is sent if it is not too old by then.

    Raises:
        NotFound: there is no such endpoint.
        Forbidden: its document sees more than whoever asks.
    """
    async with context.db.transaction():
        endpoint = await _lock(context.kernel, key)
        if enabled:
            _insist_on_holding(context, endpoint.permissions)
        await context.db.execute(
            "update webhooks_endpoint set state = $2, reason = $3, failures = 0, failing_since = null,"
            " resume_at = null, changed_at = now() where id = $1",
            key,
            "enabled" if enabled else "disabled",
            "" if enabled else "operator",
        )
        await watch_wanted(context.kernel)
        await context.kernel.tasks.enqueue("webhooks.send")
        await _record(context, f"webhooks.{'enable' if enabled else 'disable'}_endpoint", key, {})


async def delete(context: Context, key: UUID) -> None:
    """Delete an endpoint with all that is known of its deliveries.

    Raises:
        NotFound: there is no such endpoint.
    """
    async with context.db.transaction():
        endpoint = await _lock(context.kernel, key)
        await context.db.execute("delete from webhooks_endpoint where id = $1", key)
        await watch_wanted(context.kernel)
        await _record(context, "webhooks.delete_endpoint", key, {"name": endpoint.name})


async def rotate_secret(context: Context, key: UUID, keep: timedelta) -> None:
    """Give an endpoint a new secret. The one before goes on signing beside it for a while; an older one ends now.

    Args:
        context: who asks.
        key: the endpoint.
        keep: how long the old one holds; zero where it fell into wrong hands.

    Raises:
        NotFound: there is no such endpoint.
    """
    kernel, db = context.kernel, context.db
    async with db.transaction():
        data_key = await kernel.vault.current_key(SECRETS_SCOPE)
        await _lock(kernel, key)
        await db.execute(
            "update webhooks_secret set ends_at = case when ends_at is null then now() + $2::interval else now() end"
            " where endpoint = $1 and (ends_at is null or ends_at > now())",
            key,
            keep,
        )
        await _add_secret(kernel, key, data_key)
        await _record(context, "webhooks.rotate_secret", key, {"keep_hours": keep.total_seconds() / 3600})


async def reveal_secret(context: Context, key: UUID) -> bytes:
    """An endpoint's newest secret, for whoever sets its receiver up; each look is written down.

    Raises:
        NotFound: there is no such endpoint.
    """
    async with context.db.transaction():
        await _lock(context.kernel, key)
        found = await secrets_of(context.kernel, [key])
        await _record(context, "webhooks.reveal_secret", key, {})
    return found[key][0]


async def secrets_of(kernel: Kernel, endpoints: Collection[UUID]) -> dict[UUID, list[bytes]]:
    """The secrets that hold now, of each endpoint, the newest first."""
    rows = await kernel.db.fetch(statements.SECRETS, list(endpoints))
    opened = await kernel.vault.open_many(
        [(row["data_key"], row["sealed"], _secret_place(row["endpoint"], row["id"])) for row in rows]
    )
    found: dict[UUID, list[bytes]] = {}
    for row, secret in zip(rows, opened, strict=True):
        found.setdefault(row["endpoint"], []).append(secret)
    return found


async def read_endpoints(kernel: Kernel, keys: Sequence[UUID]) -> dict[UUID, StoredEndpoint]:
    """Endpoints by key. One statement."""
    rows = await kernel.db.fetch(statements.ENDPOINTS, list(keys))
    return {row["id"]: StoredEndpoint.of(row) for row in rows}


def _check(context: Context, draft: EndpointDraft) -> None:
    kernel = context.kernel
    if not _NAME.fullmatch(draft.name.strip()):
        raise EndpointRefused(
            "An endpoint has a name of 1 to 100 characters.", cure="Name it.", path=("input", "name")
        )
    Destination.read(draft.url, settings_of(kernel))
    known = published(kernel)
    strange = sorted(set(draft.topics) - set(known))
    if strange or not draft.topics:
        raise EndpointRefused(
            f"Nobody publishes {', '.join(strange)}."
            if strange
            else "An endpoint wants to hear of something.",
            cure="Take names from webhookEventTypes.",
            path=("input", "events"),
        )
    if draft.locale not in LOCALES:
        raise EndpointRefused(
            "There are no texts in this language.",
            cure=f"Take one of {', '.join(LOCALES)}.",
            path=("input", "locale"),
        )
    unknown = sorted(set(draft.permissions) - set(kernel.permissions))
    if unknown or any(not _PERMISSION.fullmatch(name) for name in draft.permissions):
        raise EndpointRefused(
            f"No module has the permission {', '.join(unknown)}.",
            cure="Name each permission that the document needs.",
            path=("input", "permissions"),
        )
    _insist_on_holding(context, draft.permissions)
    if draft.document is not None:
        check_document(kernel, draft.document, draft.document_schema, draft.variables)
    elif draft.variables or draft.permissions:
        raise EndpointRefused(
            "Variables and permissions are of use to a document only.",
            cure="Leave them out, or add the document.",
            path=("input", "document"),
        )


def _insist_on_holding(context: Context, permissions: Collection[str]) -> None:
    lacking = sorted(name for name in permissions if not context.principal.may(name))
    if lacking:
        raise Forbidden(
            f"Only who holds {', '.join(lacking)} can give it to an endpoint.",
            cure="Ask an administrator to do it.",
        )


async def _lock(kernel: Kernel, key: UUID) -> StoredEndpoint:
    row = await kernel.db.fetchrow(statements.LOCK_ENDPOINT, key)
    if row is None:
        raise NotFound("There is no such endpoint.", cure="Look at the list of endpoints.")
    return StoredEndpoint.of(row)


async def _add_secret(kernel: Kernel, endpoint: UUID, data_key: Any) -> None:
    secret = new_id()
    [sealed] = await kernel.vault.seal_many(data_key, [(new_secret(), _secret_place(endpoint, secret))])
    await kernel.db.execute(
        "insert into webhooks_secret (id, endpoint, data_key, sealed, created_at) values ($1, $2, $3, $4, now())",
        secret,
        endpoint,
        data_key.id,
        sealed,
    )


def _secret_place(endpoint: UUID, secret: UUID) -> bytes:
    return b"webhooks.secret" + endpoint.bytes + secret.bytes


async def watch_wanted(kernel: Kernel) -> None:
    """Hear of just those topics that some enabled endpoint wants."""

    async def wanted() -> list[str]:
        rows = await kernel.db.fetch(
            "select distinct jsonb_array_elements_text(topics) as topic from webhooks_endpoint"
            " where state = 'enabled'"
        )
        return [row["topic"] for row in rows]

    await kernel.events.watch(OBSERVER, wanted)


async def _record(context: Context, action: str, key: UUID, details: Mapping[str, JSON]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"webhook_endpoint:{key}",
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
