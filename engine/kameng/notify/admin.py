"""The notifications' part of the back office: what was sent, what could not be, another try for it, and a test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry

from kameng.errors import Conflict, InvalidInput
from kameng.graphql.context import LOCALES, Context, Info
from kameng.graphql.node import Node
from kameng.graphql.pages import Connection, Keyset, PageRequest
from kameng.graphql.payload import mutation, payload
from kameng.ids import global_id, key_of, new_id
from kameng.notify import statements
from kameng.notify.contract import EMAIL, Addressee, Notice
from kameng.notify.preferences import PreferencesMutation, PreferencesQuery
from kameng.notify.sending import telling_of
from kameng.notify.telling import masked

READ = "notify.read_messages"
"""The permission to see which notifications were sent to whom, without their texts."""

MANAGE = "notify.manage_messages"
"""The permission to send notifications again, give them up, and send tests."""

NEWEST = Keyset("notifications-newest", (("id", "uuid"),), descending=True)
TEST = "notify.test"


@strawberry.enum(description="Where a notification stands.")
class NotificationState(Enum):
    """Where a notification stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEAD = strawberry.enum_value("dead", description="It was refused for good, or tried for too long.")
    DISCARDED = "discarded"


@strawberry.type(description="A message to somebody by a channel.")
class Notification(Node):
    """A message."""

    kind: str
    channel: str
    recipient: str = strawberry.field(description="The beginning of the address, and its domain.")
    locale: str
    state: NotificationState
    attempts: int
    last_error: str | None
    answer: str | None = strawberry.field(description="What the other side said when it took it.")
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> Notification:
        """A row as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("Notification", row["id"])),
            kind=row["kind"],
            channel=row["channel"],
            recipient=row["hint"],
            locale=row["locale"],
            state=NotificationState(row["state"]),
            attempts=row["attempts"],
            last_error=row["last_error"],
            answer=row["answer"],
            created_at=row["created_at"],
            next_attempt_at=row["next_at"] if row["state"] == "queued" else None,
            sent_at=row["sent_at"],
        )


@strawberry.type
class NotifyAdminQuery(PreferencesQuery):
    """Queries on notifications."""

    @strawberry.field(
        description="Notifications, the newest first; those that are DEAD wait for a person. Needs notify.read_messages."
    )
    async def notifications(
        self,
        info: Info,
        state: NotificationState | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Notification]:
        """A page of notifications."""
        info.context.require(READ)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(NEWEST, 1)
        # A literal, so that the index of those that are dead can be used; the enum gives nothing but its values.
        standing = f" and state = '{state.value}'" if state else ""
        rows = await info.context.db.fetch(
            f"select * from notify_message where {behind}{standing} {tail}", *cursor
        )
        return page.connection(rows, NEWEST, lambda row: [row["id"]], Notification.of)


@payload()
class RetryNotificationsPayload:
    """What is tried again."""

    count: int = 0


@payload()
class DiscardNotificationsPayload:
    """What was given up."""

    count: int = 0


@payload()
class SendTestNotificationPayload:
    """The test, whose state tells in a moment what came of it."""

    notification: Notification | None = None


@strawberry.type
class NotifyAdminMutation(PreferencesMutation):
    """Mutations on notifications."""

    @mutation
    async def retry_notifications(self, info: Info, ids: list[strawberry.ID]) -> RetryNotificationsPayload:
        """Try up to 100 dead notifications again, with all their time. Needs notify.manage_messages."""
        info.context.require(MANAGE)
        hours = timedelta(hours=telling_of(info.context.kernel).settings.give_up_hours)
        count = await _change(info.context, "retry", statements.RETRY.sql, ids, hours)
        if count:
            await info.context.kernel.tasks.enqueue("notify.send")
        return RetryNotificationsPayload(count=count)

    @mutation
    async def discard_notifications(
        self, info: Info, ids: list[strawberry.ID]
    ) -> DiscardNotificationsPayload:
        """Give up to 100 dead notifications up for good. Needs notify.manage_messages."""
        info.context.require(MANAGE)
        return DiscardNotificationsPayload(
            count=await _change(info.context, "discard", statements.DISCARD.sql, ids)
        )

    @mutation
    async def send_test_notification(
        self, info: Info, email: str, locale: str | None = None
    ) -> SendTestNotificationPayload:
        """Send a test mail, to see whether the mail server is set up. Needs notify.manage_messages."""
        context = info.context
        context.require(MANAGE)
        telling = telling_of(context.kernel)
        language = locale or context.locale
        if language not in LOCALES:
            raise InvalidInput(
                "There are no texts in this language.",
                cure=f"Take one of {', '.join(LOCALES)}.",
                path=("locale",),
            )
        key = str(new_id())
        async with context.db.transaction():
            to = Addressee(addresses={EMAIL: email}, locale=language)
            values = {"url": context.kernel.settings.public_url}
            if not await telling.tell([Notice(kind=TEST, key=key, to=to, values=values)]):
                raise Conflict(
                    "No mail server is set up.", cure="Set smtp_host and sender in [notify] of kameng.toml."
                )
            row = await context.db.fetchrow(
                "select * from notify_message where unique_key = $1", f"{TEST}:{key}"
            )
            await _record(context, "notify.send_test", {"address": masked(email)})
        return SendTestNotificationPayload(notification=Notification.of(row))


async def notification_nodes(context: Context, keys: Sequence[UUID]) -> list[Notification | None]:
    """Notifications for ``node(id:)``."""
    if not context.principal.may(READ):
        return [None for _ in keys]
    rows = await context.db.fetch("select * from notify_message where id = any ($1::uuid[])", list(keys))
    found = {row["id"]: Notification.of(row) for row in rows}
    return [found.get(key) for key in keys]


async def _change(
    context: Context, what: str, sql: str, ids: Sequence[strawberry.ID], *values: object
) -> int:
    if len(ids) > 100:
        raise InvalidInput("At most 100 at once.", cure="Name them in several requests.", path=("ids",))
    keys = [key_of("Notification", item) for item in ids]
    async with context.db.transaction():
        count = int((await context.db.execute(sql, keys, *values)).split()[-1])
        await _record(context, f"notify.{what}_messages", {"messages": [str(key) for key in keys]})
    return count


async def _record(context: Context, action: str, details: dict[str, Any]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject="notifications",
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
