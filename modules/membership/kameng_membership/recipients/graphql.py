"""Saved recipients in the shop schema."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind
from kameng.errors import NotFound
from kameng.graphql import Context, Info, Node, mutation, payload
from kameng.ids import global_id, key_of
from kameng_membership.recipients.keeping import (
    Particulars,
    SavedRecipient,
    TooManyRecipients,
    remove_recipient,
    save_recipient,
    saved_recipients,
)


@strawberry.enum(description="What is topped up.")
class RecipientKind(Enum):
    """What is topped up."""

    PHONE = "PHONE"
    GAME_ACCOUNT = "GAME_ACCOUNT"


@strawberry.type(description="A phone or a game account that you top up again and again; only you see it.")
class Recipient(Node):
    """A saved recipient."""

    kind: RecipientKind
    name: str = strawberry.field(description="What you call it.")
    phone: str = strawberry.field(
        description="Of a phone: its number as you wrote it, without spaces; else empty."
    )
    account: str = strawberry.field(description="Of a game account: its number or name; else empty.")
    region: str = strawberry.field(description="Of a game account: its region; may be empty.")
    server: str = strawberry.field(description="Of a game account: its server; may be empty.")
    created_at: datetime

    @classmethod
    def of(cls, saved: SavedRecipient) -> Recipient:
        """A saved recipient as GraphQL shows it."""
        what = saved.particulars
        return cls(
            id=strawberry.ID(global_id("Recipient", saved.id)),
            kind=RecipientKind(saved.kind),
            name=what.name,
            phone=what.phone,
            account=what.account,
            region=what.region,
            server=what.server,
            created_at=saved.created_at,
        )


@strawberry.type
class RecipientsQuery:
    """Queries on one's own recipients."""

    @strawberry.field(
        description="Your saved recipients, the oldest first, 50 at most; none for visitors. A field of a product's form "
        "that is a phone, or is named account, region or server, can be filled from them."
    )
    async def recipients(self, info: Info) -> list[Recipient]:
        """The viewer's recipients."""
        return await own_recipients(info.context)

    @strawberry.field(description="A recipient of yours by id; null if there is none.")
    async def recipient(self, info: Info, id: strawberry.ID) -> Recipient | None:  # noqa: A002 - GraphQL's name
        """One of the viewer's recipients."""
        return (await recipient_nodes(info.context, [key_of("Recipient", id)]))[0]


@strawberry.input(description="A recipient to save, or to change.")
class SaveRecipientInput:
    """A recipient to save, or to change."""

    id: strawberry.ID | None = strawberry.field(
        default=None, description="The one to change; none: a new one."
    )
    kind: RecipientKind
    name: str = strawberry.field(description="What you call it, 1 to 40 characters.")
    phone: str = strawberry.field(default="", description="Of a phone.")
    account: str = strawberry.field(default="", description="Of a game account.")
    region: str = strawberry.field(default="", description="Of a game account.")
    server: str = strawberry.field(default="", description="Of a game account.")


@payload(TooManyRecipients)
class SaveRecipientPayload:
    """The recipient as it is kept, or why it is not."""

    recipient: Recipient | None = None


@payload()
class RemoveRecipientPayload:
    """The recipients that are left, or why none was removed."""

    recipients: list[Recipient] = strawberry.field(default_factory=list)


@strawberry.type
class RecipientsMutation:
    """Mutations on one's own recipients."""

    @mutation(idempotency="none")  # kept once by what it is; a kept answer would hold it unsealed
    async def save_recipient(self, info: Info, input: SaveRecipientInput) -> SaveRecipientPayload:  # noqa: A002 - GraphQL's name
        """Keep a phone or a game account for the next purchase, sealed."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        wanted = Particulars(
            name=input.name,
            phone=input.phone,
            account=input.account,
            region=input.region,
            server=input.server,
        )
        before = None if input.id is None else key_of("Recipient", input.id)
        key = await save_recipient(context.kernel, member, input.kind.value, wanted, before)
        (found,) = await recipient_nodes(context, [key])
        if found is None:
            raise NotFound("It was removed meanwhile.", cure="Save it anew.")
        return SaveRecipientPayload(recipient=found)

    @mutation(idempotency="none")
    async def remove_recipient(self, info: Info, recipient_id: strawberry.ID) -> RemoveRecipientPayload:
        """Forget a recipient. Orders that were placed for it stay as they are."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        await remove_recipient(context.kernel, member, key_of("Recipient", recipient_id))
        return RemoveRecipientPayload(recipients=await own_recipients(context))


async def own_recipients(context: Context) -> list[Recipient]:
    """The recipients of whoever asks; none for anybody but a member with a session of his own."""
    principal = context.principal
    if principal.kind is not PrincipalKind.MEMBER or principal.id is None or principal.scopes is not None:
        return []
    return [Recipient.of(saved) for saved in await saved_recipients(context.kernel, principal.id)]


async def recipient_nodes(context: Context, keys: Sequence[UUID]) -> list[Recipient | None]:
    """Recipients for ``node(id:)``: everybody sees only his own."""
    own = {recipient.id: recipient for recipient in await own_recipients(context)}
    return [own.get(strawberry.ID(global_id("Recipient", key))) for key in keys]
