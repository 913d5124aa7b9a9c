"""The webhooks' part of the back office."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import strawberry

from kameng.db import as_json
from kameng.errors import InvalidInput, NotFound
from kameng.graphql.context import LOCALES, Context, Info
from kameng.graphql.pages import Connection, Keyset, PageRequest
from kameng.graphql.payload import mutation, payload
from kameng.ids import key_of
from kameng.webhooks import endpoints, replaying
from kameng.webhooks.admin_types import (
    MANAGE,
    READ,
    WebhookDelivery,
    WebhookDeliveryState,
    WebhookEndpoint,
    WebhookEventType,
    WebhookSchema,
)
from kameng.webhooks.documents import Variable
from kameng.webhooks.endpoints import EndpointDraft, StoredEndpoint, published, settings_of
from kameng.webhooks.errors import EndpointRefused
from kameng.webhooks.signing import secret_text

ENDPOINTS = Keyset("webhook-endpoints-newest", (("id", "uuid"),), descending=True)
DELIVERIES = Keyset("webhook-deliveries-newest", (("id", "uuid"),), descending=True)


@strawberry.input(description="Which deliveries to list; conditions add up.")
class WebhookDeliveryFilter:
    """Which deliveries to list."""

    endpoint_id: strawberry.ID | None = None
    state: WebhookDeliveryState | None = None
    event: str | None = None


@strawberry.type
class WebhooksQuery:
    """Queries on webhooks."""

    @strawberry.field(description="Endpoints, the newest first. Needs webhooks.read_deliveries.")
    async def webhook_endpoints(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[WebhookEndpoint]:
        """A page of endpoints."""
        info.context.require(READ)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(ENDPOINTS, 1)
        rows = await info.context.db.fetch(f"select * from webhooks_endpoint where {behind} {tail}", *cursor)
        return page.connection(
            rows, ENDPOINTS, lambda row: [row["id"]], lambda row: WebhookEndpoint.of(StoredEndpoint.of(row))
        )

    @strawberry.field(
        description="Deliveries, the newest first; those that are DEAD wait for a person. Needs webhooks.read_deliveries."
    )
    async def webhook_deliveries(
        self,
        info: Info,
        filter: WebhookDeliveryFilter | None = None,  # noqa: A002 - GraphQL's name
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[WebhookDelivery]:
        """A page of deliveries."""
        info.context.require(READ)
        conditions: list[str] = []
        values: list[object] = []
        if filter and filter.endpoint_id:
            values.append(key_of("WebhookEndpoint", filter.endpoint_id))
            conditions.append(f"endpoint = ${len(values)}")
        if filter and filter.state:
            # A literal, so that the index of those that are dead can be used; the enum gives nothing but its values.
            conditions.append(f"state = '{filter.state.value}'")
        if filter and filter.event:
            values.append(filter.event)
            conditions.append(f"topic = ${len(values)}")
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(DELIVERIES, len(values) + 1)
        rows = await info.context.db.fetch(
            f"select * from webhooks_delivery where {' and '.join([behind, *conditions])} {tail}",
            *values,
            *cursor,
        )
        return page.connection(rows, DELIVERIES, lambda row: [row["id"]], WebhookDelivery.of)

    @strawberry.field(
        description="The events that endpoints can be told of, by name. Needs webhooks.read_deliveries."
    )
    async def webhook_event_types(self, info: Info) -> list[WebhookEventType]:
        """The events that endpoints can be told of."""
        info.context.require(READ)
        return [
            WebhookEventType(
                name=name,
                description=(event.__doc__ or "").strip().split("\n\n")[0].replace("\n", " "),
                fields=as_json(msgspec.json.schema(event)),
            )
            for name, event in sorted(published(info.context.kernel).items())
        ]


@strawberry.input(description="What a variable of the document is taken from.")
class WebhookVariableInput:
    """What a variable is taken from."""

    name: str = strawberry.field(description="The variable's name, without the dollar sign.")
    field: str = strawberry.field(description="The event's field.")
    node_type: str | None = strawberry.field(
        default=None, description="The field is a key; make it the global id of this type."
    )


@strawberry.input(description="An endpoint as it is wanted.")
class WebhookEndpointInput:
    """An endpoint as it is wanted."""

    name: str
    url: str = strawberry.field(description="Begins with https://.")
    events: list[str] = strawberry.field(description="Names from webhookEventTypes.")
    document: str | None = strawberry.field(
        default=None,
        description="A query whose answer is sent as the event's data; null: the event's fields.",
    )
    schema: WebhookSchema = WebhookSchema.ADMIN
    variables: list[WebhookVariableInput] = strawberry.field(default_factory=list)
    permissions: list[str] = strawberry.field(
        default_factory=list, description="What the document may see; you have to hold each yourself."
    )
    locale: str = LOCALES[0]

    def draft(self) -> EndpointDraft:
        """The draft."""
        return EndpointDraft(
            name=self.name,
            url=self.url,
            topics=tuple(self.events),
            document=self.document,
            document_schema=self.schema.value,
            variables=tuple(
                Variable(name=item.name, field=item.field, node_type=item.node_type or "")
                for item in self.variables
            ),
            permissions=tuple(self.permissions),
            locale=self.locale,
        )


@payload(EndpointRefused)
class CreateWebhookEndpointPayload:
    """The new endpoint, or why there is none."""

    endpoint: WebhookEndpoint | None = None


@payload(EndpointRefused)
class ChangeWebhookEndpointPayload:
    """The endpoint, or why it stays as it was."""

    endpoint: WebhookEndpoint | None = None


@payload()
class SetWebhookEndpointEnabledPayload:
    """The endpoint, or why nothing was changed."""

    endpoint: WebhookEndpoint | None = None


@payload()
class DeleteWebhookEndpointPayload:
    """Whether it was deleted."""

    deleted: bool = False


@payload()
class RotateWebhookSecretPayload:
    """The endpoint with the new secret, which revealWebhookSecret shows."""

    endpoint: WebhookEndpoint | None = None


@payload()
class RevealWebhookSecretPayload:
    """The secret."""

    secret: str | None = strawberry.field(
        default=None, description="whsec_…, as libraries for Standard Webhooks take it."
    )


@payload()
class ReplayWebhookDeliveriesPayload:
    """What is sent again."""

    count: int = strawberry.field(default=0, description="How many of them were dead or delivered.")


@payload()
class ReplayWebhookRangePayload:
    """Whether a worker will do it."""

    queued: bool = False


@payload()
class SendWebhookTestPayload:
    """The test, whose state tells in a moment what came of it."""

    delivery: WebhookDelivery | None = None


@strawberry.type
class WebhooksMutation:
    """Mutations on webhooks. All need webhooks.manage_endpoints."""

    @mutation
    async def create_webhook_endpoint(
        self,
        info: Info,
        input: WebhookEndpointInput,  # noqa: A002 - GraphQL's name
    ) -> CreateWebhookEndpointPayload:
        """Tell somebody of events from now on. The secret is shown by revealWebhookSecret."""
        info.context.require(MANAGE)
        key = await endpoints.save(info.context, input.draft())
        return CreateWebhookEndpointPayload(endpoint=await _endpoint(info.context, key))

    @mutation
    async def change_webhook_endpoint(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        input: WebhookEndpointInput,  # noqa: A002 - GraphQL's name
    ) -> ChangeWebhookEndpointPayload:
        """Replace all that is said of an endpoint; its secrets and deliveries stay."""
        info.context.require(MANAGE)
        key = key_of("WebhookEndpoint", id)
        await endpoints.save(info.context, input.draft(), key)
        return ChangeWebhookEndpointPayload(endpoint=await _endpoint(info.context, key))

    @mutation
    async def set_webhook_endpoint_enabled(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        enabled: bool,
    ) -> SetWebhookEndpointEnabledPayload:
        """Switch an endpoint on, with a clean slate, or off."""
        info.context.require(MANAGE)
        key = key_of("WebhookEndpoint", id)
        await endpoints.set_enabled(info.context, key, enabled=enabled)
        return SetWebhookEndpointEnabledPayload(endpoint=await _endpoint(info.context, key))

    @mutation
    async def delete_webhook_endpoint(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
    ) -> DeleteWebhookEndpointPayload:
        """Delete an endpoint with all that is known of its deliveries."""
        info.context.require(MANAGE)
        await endpoints.delete(info.context, key_of("WebhookEndpoint", id))
        return DeleteWebhookEndpointPayload(deleted=True)

    @mutation
    async def rotate_webhook_secret(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        keep_hours: int | None = None,
    ) -> RotateWebhookSecretPayload:
        """Make a new secret. The old one signs beside it for keepHours, 24 by default; 0 ends it now."""
        info.context.require(MANAGE)
        key = key_of("WebhookEndpoint", id)
        hours = settings_of(info.context.kernel).rotation_hours if keep_hours is None else keep_hours
        if not 0 <= hours <= 24 * 30:
            raise InvalidInput(
                "A secret is kept for 0 to 720 hours.", cure="Choose less.", path=("keepHours",)
            )
        await endpoints.rotate_secret(info.context, key, timedelta(hours=hours))
        return RotateWebhookSecretPayload(endpoint=await _endpoint(info.context, key))

    @mutation(idempotency="none")
    async def reveal_webhook_secret(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
    ) -> RevealWebhookSecretPayload:
        """Show an endpoint's newest secret; each look is written into the audit log."""
        info.context.require(MANAGE)
        secret = await endpoints.reveal_secret(info.context, key_of("WebhookEndpoint", id))
        return RevealWebhookSecretPayload(secret=secret_text(secret))

    @mutation
    async def replay_webhook_deliveries(
        self,
        info: Info,
        ids: list[strawberry.ID],
    ) -> ReplayWebhookDeliveriesPayload:
        """Send up to 100 deliveries again that are dead or were delivered, under the same message ids."""
        info.context.require(MANAGE)
        if len(ids) > 100:
            raise InvalidInput("At most 100 at once.", cure="Use replayWebhookRange.", path=("ids",))
        keys = [key_of("WebhookDelivery", item) for item in ids]
        return ReplayWebhookDeliveriesPayload(count=await replaying.replay(info.context, keys))

    @mutation
    async def replay_webhook_range(
        self,
        info: Info,
        endpoint_id: strawberry.ID,
        since: datetime,
        until: datetime,
        include_delivered: bool = False,
        include_missed: bool = False,
    ) -> ReplayWebhookRangePayload:
        """Send again what was given up for an endpoint of the events from a stretch of time, in the background.

        With includeMissed also what it was never owed, since it was disabled then, as far back as events are kept.
        """
        info.context.require(MANAGE)
        await replaying.replay_range(
            info.context,
            key_of("WebhookEndpoint", endpoint_id),
            since,
            until,
            delivered=include_delivered,
            missed=include_missed,
        )
        return ReplayWebhookRangePayload(queued=True)

    @mutation
    async def send_webhook_test(
        self,
        info: Info,
        endpoint_id: strawberry.ID,
    ) -> SendWebhookTestPayload:
        """Send a message of type webhooks.test to an endpoint, once, also if it is disabled."""
        info.context.require(MANAGE)
        key = await replaying.send_test(info.context, key_of("WebhookEndpoint", endpoint_id))
        rows = await info.context.db.fetch("select * from webhooks_delivery where id = $1", key)
        return SendWebhookTestPayload(delivery=WebhookDelivery.of(rows[0]))


async def _endpoint(context: Context, key: UUID) -> WebhookEndpoint:
    found = (await endpoints.read_endpoints(context.kernel, [key])).get(key)
    if found is None:
        raise NotFound("This endpoint is gone.", cure="Look at the list of endpoints.")
    return WebhookEndpoint.of(found)
