"""What people want to be told: their own choice for each kind of notification and each channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import strawberry

from kameng.auth import Principal, PrincipalKind
from kameng.errors import InvalidInput
from kameng.graphql.context import Context, Info
from kameng.graphql.payload import mutation, payload
from kameng.ids import new_id
from kameng.notify.sending import telling_of

if TYPE_CHECKING:
    from kameng.module import NotificationKind

_PEOPLE = frozenset({PrincipalKind.MEMBER, PrincipalKind.STAFF})


@strawberry.type(description="Whether you are told of a kind of things by a channel.")
class NotificationPreference:
    """Whether one is told."""

    declared: strawberry.Private[object]
    kind: str
    channel: str
    enabled: bool

    @strawberry.field(description="What it is, in the language of the request.")
    def title(self, info: Info) -> str:
        """What it is."""
        declared: NotificationKind = self.declared  # type: ignore[assignment]  # private, and of no type of the schema
        return declared.title_zh if info.context.locale.startswith("zh") else declared.title_en


@strawberry.type
class PreferencesQuery:
    """Queries on one's own notifications."""

    @strawberry.field(
        description="What you can choose to be told of; empty for visitors. What you cannot do without is not among it."
    )
    async def notification_preferences(self, info: Info) -> list[NotificationPreference]:
        """One's own choices."""
        return await preferences_of(info.context)


@payload()
class SetNotificationPreferencePayload:
    """Your choices as they are now."""

    preferences: list[NotificationPreference] = strawberry.field(default_factory=list)


@strawberry.type
class PreferencesMutation:
    """Mutations on one's own notifications."""

    @mutation
    async def set_notification_preference(
        self, info: Info, kind: str, channel: str, enabled: bool
    ) -> SetNotificationPreferencePayload:
        """Choose whether you are told of a kind of things by a channel."""
        context = info.context
        _insist_on_person(context.principal)
        choices = _choices(context)
        if kind not in choices or channel not in telling_of(context.kernel).channels:
            raise InvalidInput(
                "There is no such choice.", cure="Take one from notificationPreferences.", path=("kind",)
            )
        await context.db.execute(
            """
            insert into notify_preference (id, person_kind, person, kind, channel, enabled, changed_at)
            values ($1, $2, $3, $4, $5, $6, now())
            on conflict (person, kind, channel, person_kind)
            do update set enabled = excluded.enabled, changed_at = excluded.changed_at
            """,
            new_id(),
            context.principal.kind.value,
            context.principal.id,
            kind,
            channel,
            enabled,
        )
        return SetNotificationPreferencePayload(preferences=await preferences_of(context))


async def preferences_of(context: Context) -> list[NotificationPreference]:
    """The choices of whoever asks, in a stable order. One statement."""
    principal = context.principal
    if principal.kind not in _PEOPLE or principal.id is None or principal.scopes is not None:
        return []
    rows = await context.db.fetch(
        "select kind, channel, enabled from notify_preference where person_kind = $1 and person = $2",
        principal.kind.value,
        principal.id,
    )
    chosen = {(row["kind"], row["channel"]): row["enabled"] for row in rows}
    return [
        NotificationPreference(
            declared=declared, kind=kind, channel=channel, enabled=chosen.get((kind, channel), True)
        )
        for kind, declared in sorted(_choices(context).items())
        for channel in sorted(telling_of(context.kernel).channels)
    ]


def _choices(context: Context) -> Mapping[str, NotificationKind]:
    """What whoever asks could be told: members of what concerns them, staff of what their permissions open."""
    principal = context.principal
    staff = principal.kind is PrincipalKind.STAFF
    return {
        kind: declared
        for kind, declared in telling_of(context.kernel).kinds.items()
        if declared.optional
        and (declared.staff is not None) is staff
        and (declared.staff is None or principal.may(declared.staff))
    }


def _insist_on_person(principal: Principal) -> None:
    principal.require_kind(
        PrincipalKind.STAFF if principal.kind is PrincipalKind.STAFF else PrincipalKind.MEMBER
    )
