"""Telling people: a notice becomes a message for each channel that its addressee has and wants, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from kameng.audit import JSON
from kameng.db import as_json
from kameng.errors import BootError, TransactionError
from kameng.ids import new_id
from kameng.notify import statements
from kameng.notify.contract import EMAIL, Addressee, Channel, Notice, StaffAddresses
from kameng.notify.email import EmailChannel
from kameng.notify.errors import NoticeMisuseError
from kameng.notify.rendering import Templates, declared_kinds
from kameng.notify.settings import NotifySettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.module import NotificationKind

ENTRY_POINT_GROUP = "kameng.notification_channels"
SCOPE = "notify.messages"


class Telling:
    """Fulfils `kameng.notify.contract.Notifications`.

    Args:
        kernel: an open kernel.

    Attributes:
        settings: the section ``[notify]``.
        kinds: all kinds of notifications, by ``module.name``.
        templates: their texts.

    Raises:
        BootError: two channels have the same name, or a kind lacks a template.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.settings = kernel.settings.section("notify", NotifySettings)
        self.kinds: dict[str, NotificationKind] = declared_kinds(kernel.modules)
        folder = kernel.settings.root / self.settings.templates if self.settings.templates else None
        self.templates = Templates(self.kinds, folder)
        if unknown := sorted(set(self.settings.off) - set(self.kinds)):
            raise BootError(
                f"[notify] off names {', '.join(unknown)}, which no enabled module declares.",
                cure=f"Kinds are: {', '.join(sorted(self.kinds))}.",
            )

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """All channels by name, those that are not set up included."""
        found: dict[str, Channel] = {EMAIL: EmailChannel(self._kernel)}
        for point in entry_points(group=ENTRY_POINT_GROUP):
            channel: Channel = point.load()(self._kernel)
            if channel.name in found:
                raise BootError(
                    f"Two packages bring a notification channel {channel.name!r}.",
                    cure="Uninstall one of them.",
                )
            found[channel.name] = channel
        return found

    def reaches(self, channel: str) -> bool:
        """See `kameng.notify.contract.Notifications.reaches`."""
        return channel in self.channels and self.channels[channel].ready

    async def tell(self, notices: Sequence[Notice]) -> int:
        """See `kameng.notify.contract.Notifications.tell`. Two statements, whatever the number."""
        db, vault = self._kernel.db, self._kernel.vault
        if db.scope is None:
            raise TransactionError(
                "Somebody was to be told something outside a transaction.",
                cure="Tell it inside `async with kernel.db.transaction():` with the fact that it is about.",
            )
        for notice in notices:
            if notice.kind not in self.kinds:
                raise NoticeMisuseError(
                    f"No enabled module declares the notification {notice.kind!r}.",
                    cure="Write it as 'module.name', and declare it in the module's `notifications`.",
                )
        wanted = [
            (notice, channel, address)
            for notice in notices
            if notice.kind not in self.settings.off
            for channel, address in notice.to.addresses.items()
            if self.reaches(channel)
        ]
        wanted = await self._without_unwanted(wanted)
        if not wanted:
            return 0
        ids = [new_id() for _ in wanted]
        key = await vault.current_key(SCOPE, len(wanted))
        sealed = await vault.seal_many(
            key,
            [
                (_content(address, notice.values), place(message))
                for message, (notice, _, address) in zip(ids, wanted, strict=True)
            ],
        )
        answer = await db.execute(
            statements.QUEUE,
            ids,
            [notice.kind for notice, _, _ in wanted],
            [f"{notice.kind}:{notice.key}" for notice, _, _ in wanted],
            [channel for _, channel, _ in wanted],
            [notice.to.kind.value if notice.to.kind else None for notice, _, _ in wanted],
            [notice.to.id for notice, _, _ in wanted],
            [notice.to.locale for notice, _, _ in wanted],
            [masked(address) for _, _, address in wanted],
            key.id,
            sealed,
            timedelta(hours=self.settings.give_up_hours),
        )
        count = int(answer.split()[-1])
        if count:
            await self._kernel.tasks.enqueue("notify.send")
        return count

    async def tell_staff(self, kind: str, key: str, values: Mapping[str, JSON]) -> int:
        """See `kameng.notify.contract.Notifications.tell_staff`."""
        declared = self.kinds.get(kind)
        if declared is None or declared.staff is None:
            raise NoticeMisuseError(
                f"{kind!r} is no notification for staff.",
                cure="Declare it with the permission of its readers.",
            )
        addressees = [Addressee(addresses={EMAIL: address}) for address in self.settings.staff]
        directory = self._kernel.services.find(StaffAddresses)
        if directory is not None:
            known = set(self.settings.staff)
            addressees += [
                one
                for one in await directory.holding(declared.staff)
                if one.addresses.get(EMAIL) not in known
            ]
        return await self.tell(
            [
                Notice(kind=kind, key=f"{key}:{one.id or one.addresses[EMAIL]}", to=one, values=values)
                for one in addressees
            ]
        )

    async def _without_unwanted(self, wanted: list[tuple[Notice, str, str]]) -> list[tuple[Notice, str, str]]:
        people = [notice.to.id for notice, _, _ in wanted if notice.to.id is not None]
        kinds = [notice.kind for notice, _, _ in wanted if self.kinds[notice.kind].optional]
        if not people or not kinds:
            return wanted
        rows = await self._kernel.db.fetch(statements.UNWANTED, people, kinds)
        unwanted = {(row["person_kind"], row["person"], row["kind"], row["channel"]) for row in rows}
        return [
            (notice, channel, address)
            for notice, channel, address in wanted
            if notice.to.kind is None
            or (notice.to.kind.value, notice.to.id, notice.kind, channel) not in unwanted
        ]


def place(message: UUID) -> bytes:
    """What a message's sealed content is bound to."""
    return b"notify.message" + message.bytes


def masked(address: str) -> str:
    """As much of an address as an operator needs to tell messages apart.

    >>> masked("li.wei@example.com")
    'l…@example.com'
    """
    local, separator, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if separator else f"{address[:2]}…"


def _content(address: str, values: Mapping[str, JSON]) -> bytes:
    try:
        return as_json({"address": address, "values": values}).encode()
    except (TypeError, orjson.JSONEncodeError) as error:
        raise NoticeMisuseError(
            "A value of a notification is no JSON.", cure="Pass text, numbers, booleans, lists and dicts."
        ) from error


def content_of(opened: bytes) -> tuple[str, dict[str, Any]]:
    """Address and values behind a message's sealed content."""
    read = orjson.loads(opened)
    return read["address"], read["values"]
