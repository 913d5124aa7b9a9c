"""GraphQL types of the back office: endpoints, deliveries, attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.graphql.context import Context, Info
from kameng.graphql.node import Node
from kameng.ids import global_id
from kameng.webhooks.endpoints import StoredEndpoint, read_endpoints

READ = "webhooks.read_deliveries"
"""The permission to see endpoints and what is sent to them."""

MANAGE = "webhooks.manage_endpoints"
"""The permission to change endpoints, see their secrets and send again."""


@strawberry.enum(description="Whether an endpoint is told of events.")
class WebhookEndpointState(Enum):
    """Whether an endpoint is told of events."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@strawberry.enum(description="Why an endpoint is disabled.")
class WebhookDisabledReason(Enum):
    """Why an endpoint is disabled."""

    OPERATOR = strawberry.enum_value("operator", description="Somebody switched it off.")
    GONE = strawberry.enum_value("gone", description="It answered 410.")
    FAILING = strawberry.enum_value("failing", description="It failed for days without a single success.")


@strawberry.enum(description="Where a delivery stands.")
class WebhookDeliveryState(Enum):
    """Where a delivery stands."""

    WAITING = strawberry.enum_value("waiting", description="It is to be sent, or sent again after a pause.")
    SENDING = strawberry.enum_value("sending", description="A request is under way.")
    DELIVERED = strawberry.enum_value("delivered", description="The endpoint took it.")
    DEAD = strawberry.enum_value("dead", description="It was given up; it can be replayed.")


@strawberry.enum(description="A schema that a document is for.")
class WebhookSchema(Enum):
    """A schema that a document is for."""

    SHOP = "shop"
    ADMIN = "admin"


@strawberry.type(description="What a variable of an endpoint's document is taken from.")
class WebhookVariable:
    """What a variable is taken from."""

    name: str
    field: str
    node_type: str | None = None


@strawberry.type(description="Somebody who is told of events by HTTP.")
class WebhookEndpoint(Node):
    """An endpoint."""

    name: str
    url: str
    events: list[str] = strawberry.field(description="Names of the events that it is told of.")
    state: WebhookEndpointState
    disabled_reason: WebhookDisabledReason | None
    document: str | None = strawberry.field(description="The query whose answer is sent as the event's data.")
    schema: WebhookSchema
    variables: list[WebhookVariable]
    permissions: list[str] = strawberry.field(description="What the document may see.")
    locale: str
    failures: int = strawberry.field(description="Attempts that failed since the last success.")
    failing_since: datetime | None
    resumes_at: datetime | None = strawberry.field(description="Until then it is left alone.")
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, stored: StoredEndpoint) -> WebhookEndpoint:
        """A stored endpoint as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("WebhookEndpoint", stored.id)),
            name=stored.name,
            url=stored.url,
            events=list(stored.topics),
            state=WebhookEndpointState(stored.state),
            disabled_reason=WebhookDisabledReason(stored.reason) if stored.reason else None,
            document=stored.document,
            schema=WebhookSchema(stored.document_schema),
            variables=[
                WebhookVariable(name=item.name, field=item.field, node_type=item.node_type or None)
                for item in stored.variables
            ],
            permissions=sorted(stored.permissions),
            locale=stored.locale,
            failures=stored.failures,
            failing_since=stored.failing_since,
            resumes_at=stored.resume_at,
            created_at=stored.created_at,
            changed_at=stored.changed_at,
        )


@strawberry.type(description="One request to an endpoint, and what came of it.")
class WebhookAttempt:
    """One request."""

    at: datetime
    milliseconds: int
    status: int | None = strawberry.field(description="The HTTP status; null without an answer.")
    error: str | None
    excerpt: str | None = strawberry.field(
        description="The beginning of the answer's body; null where the endpoint has a document, whose secrets it may repeat."
    )


@strawberry.type(description="An event that is owed to an endpoint, or was told, or was given up.")
class WebhookDelivery(Node):
    """A delivery."""

    key: strawberry.Private[UUID]
    endpoint_key: strawberry.Private[UUID]
    message_id: str = strawberry.field(
        description="What the header webhook-id says, at each attempt the same."
    )
    event: str = strawberry.field(description="The event's name.")
    data: str = strawberry.field(description="The event's fields as JSON.")
    happened_at: datetime
    state: WebhookDeliveryState
    attempts: int = strawberry.field(description="Requests since it was owed, or replayed.")
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    delivered_at: datetime | None

    @strawberry.field(description="Whose it is.")
    async def endpoint(self, info: Info) -> WebhookEndpoint:
        """Whose it is."""
        stored: StoredEndpoint = await _endpoints(info.context).load(self.endpoint_key)
        return WebhookEndpoint.of(stored)

    @strawberry.field(description="The latest 50 requests, the newest first.")
    async def log(self, info: Info) -> list[WebhookAttempt]:
        """The latest requests."""
        rows: list[Any] = await _attempts(info.context).load(self.key)
        return [
            WebhookAttempt(
                at=row["at"],
                milliseconds=row["milliseconds"],
                status=row["status"],
                error=row["error"],
                excerpt=row["excerpt"],
            )
            for row in rows
        ]

    @classmethod
    def of(cls, row: Any) -> WebhookDelivery:
        """A row as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("WebhookDelivery", row["id"])),
            key=row["id"],
            endpoint_key=row["endpoint"],
            message_id=f"msg_{row['id'].hex}",
            event=row["topic"],
            data=row["data"],
            happened_at=row["happened_at"],
            state=WebhookDeliveryState(row["state"]),
            attempts=row["attempts"],
            next_attempt_at=row["next_at"] if row["state"] == "waiting" else None,
            last_status=row["last_status"],
            last_error=row["last_error"],
            delivered_at=row["delivered_at"],
        )


@strawberry.type(description="An event that endpoints can be told of.")
class WebhookEventType:
    """An event that endpoints can be told of."""

    name: str
    description: str
    fields: str = strawberry.field(description="A JSON Schema of the event's data, as JSON.")


def _endpoints(context: Context) -> DataLoader[UUID, StoredEndpoint]:
    async def load(keys: list[UUID]) -> list[Any]:
        found = await read_endpoints(context.kernel, keys)
        return [found.get(key) for key in keys]

    return context.loader(_endpoints, lambda _context: DataLoader(load))


def _attempts(context: Context) -> DataLoader[UUID, list[Any]]:
    async def load(keys: list[UUID]) -> list[list[Any]]:
        rows = await context.db.fetch(
            """
            select found.* from unnest($1::uuid[]) as wanted (delivery) cross join lateral (
                select * from webhooks_attempt as attempt where attempt.delivery = wanted.delivery
                order by attempt.id desc limit 50
            ) as found
            """,
            keys,
        )
        found: dict[UUID, list[Any]] = {key: [] for key in keys}
        for row in rows:
            found[row["delivery"]].append(row)
        return [found[key] for key in keys]

    return context.loader(_attempts, lambda _context: DataLoader(load))


async def endpoint_nodes(context: Context, keys: Sequence[UUID]) -> list[WebhookEndpoint | None]:
    """Endpoints for ``node(id:)``."""
    if not context.principal.may(READ):
        return [None for _ in keys]
    found = await read_endpoints(context.kernel, keys)
    return [WebhookEndpoint.of(found[key]) if key in found else None for key in keys]


async def delivery_nodes(context: Context, keys: Sequence[UUID]) -> list[WebhookDelivery | None]:
    """Deliveries for ``node(id:)``."""
    if not context.principal.may(READ):
        return [None for _ in keys]
    rows = await context.db.fetch("select * from webhooks_delivery where id = any ($1::uuid[])", list(keys))
    found = {row["id"]: WebhookDelivery.of(row) for row in rows}
    return [found.get(key) for key in keys]
