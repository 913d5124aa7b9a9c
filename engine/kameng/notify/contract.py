"""What modules may use of notifications, and what they fulfil for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import msgspec

from kameng.audit import JSON
from kameng.auth import PrincipalKind
from kameng.notify.errors import NotNow, Undeliverable

if TYPE_CHECKING:
    from kameng.notify.rendering import Rendered

__all__ = ["Addressee", "Channel", "NotNow", "Notice", "Notifications", "StaffAddresses", "Undeliverable"]

EMAIL = "email"
"""The channel that is always there; its addresses are e-mail addresses."""


class Addressee(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to tell.

    Attributes:
        addresses: where, by channel: ``{"email": "name@example.com"}``.
        locale: the language; one that there are no texts in counts as the product's first.
        kind, id: whom the preferences are looked up of; None for somebody without any, such as a guest.
    """

    addresses: Mapping[str, str]
    locale: str = "zh-CN"
    kind: PrincipalKind | None = None
    id: UUID | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell somebody.

    Attributes:
        kind: ``module.name`` of a declared `NotificationKind`.
        key: unique for each occasion and addressee, such as ``order:0192…``: however often it comes, it is told once.
        to: whom.
        values: what the templates see. They are kept sealed until the message is sent.
    """

    kind: str
    key: str
    to: Addressee
    values: Mapping[str, JSON]


class Notifications(Protocol):
    """Telling people things."""

    def reaches(self, channel: str) -> bool:
        """Whether a channel is set up; where none is, nothing needs to be looked up for it."""
        ...

    async def tell(self, notices: Sequence[Notice]) -> int:
        """Have notices sent by a worker after the transaction around has committed; returns how many messages that makes.

        One that its addressee does not want, or that no channel is set up for, makes none.

        Raises:
            TransactionError: there is no transaction.
            NoticeMisuseError: no enabled module declares the kind, or a value is no JSON.
        """
        ...

    async def tell_staff(self, kind: str, key: str, values: Mapping[str, JSON]) -> int:
        """The same for all staff who hold the kind's permission, and the addresses of ``[notify] staff``."""
        ...


class StaffAddresses(Protocol):
    """Knows where staff is reached; the module that keeps the staff fulfils it."""

    async def holding(self, permission: str) -> Sequence[Addressee]:
        """The active staff who hold a permission."""
        ...


class Channel(Protocol):
    """A way to reach people. E-mail is built in; packages bring others by the entry-point group
    ``kameng.notification_channels``: a function that takes the kernel and returns a channel."""

    @property
    def name(self) -> str:
        """What its addresses are listed under."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it is set up."""
        ...

    async def send(self, message: UUID, address: str, text: Rendered) -> str:
        """Send a message; returns what the other side said, for the record.

        Args:
            message: names it; the same at each attempt, so that the other side may know it again.
            address: where to.
            text: what.

        Raises:
            Undeliverable: it can never be sent there.
            NotNow: it may go later.
        """
        ...
