"""What other modules may use of membership: members, the prices they get, the one way of writing e-mail addresses. No tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from kameng_membership.emails import normal_email
from kameng_membership.events import MemberBlocked, MemberErased, MemberRegistered
from kameng_membership.privacy_contract import PersonalData

__all__ = [
    "MemberBlocked",
    "MemberContact",
    "MemberErased",
    "MemberRegistered",
    "MemberSnapshot",
    "Members",
    "PersonalData",
    "normal_email",
]


class MemberSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A member as other modules see it.

    Attributes:
        id: its key.
        tier: the price tier of its level.
        active: whether it may buy.
    """

    id: UUID
    tier: str
    active: bool


class MemberContact(msgspec.Struct, frozen=True, kw_only=True):
    """How a member is reached, for what concerns it alone.

    Attributes:
        id: its key.
        email: its address.
        name: how it wants to be called; may be empty.
        locale: its language.
        active: whether it may buy.
    """

    id: UUID
    email: str
    name: str
    locale: str
    active: bool


class Members(Protocol):
    """Looking members up."""

    async def snapshots(self, ids: Sequence[UUID]) -> list[MemberSnapshot | None]:
        """The members as they are now, in order; None where there is none. One statement."""
        ...

    async def contacts(self, ids: Sequence[UUID]) -> list[MemberContact | None]:
        """How the members are reached, in order; None where there is none. One statement."""
        ...

    async def find(self, login: str) -> MemberSnapshot | None:
        """The member with this e-mail address, if there is one."""
        ...

    async def called(self, text: str, at_most: int) -> list[UUID]:
        """Members whose e-mail address begins so, by address; for searches of the staff. One statement."""
        ...
