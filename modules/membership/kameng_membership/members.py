"""Looking members up for other modules."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kameng.db import Database
from kameng.errors import InvalidInput
from kameng_membership.contract import MemberContact, MemberSnapshot
from kameng_membership.emails import normal_email
from kameng_membership.statements import (
    FIND_MEMBER,
    MEMBER_SNAPSHOTS,
    MEMBERS_CALLED,
    READ_MEMBERS,
    escaped_like,
)


class MemberDirectory:
    """Fulfils `kameng_membership.contract.Members`.

    Args:
        db: where the members are.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def snapshots(self, ids: Sequence[UUID]) -> list[MemberSnapshot | None]:
        """See `kameng_membership.contract.Members.snapshots`."""
        found = {
            row["id"]: MemberSnapshot(id=row["id"], tier=row["tier"], active=row["active"])
            for row in await self._db.fetch(MEMBER_SNAPSHOTS, list(ids))
        }
        return [found.get(key) for key in ids]

    async def contacts(self, ids: Sequence[UUID]) -> list[MemberContact | None]:
        """See `kameng_membership.contract.Members.contacts`."""
        found = {
            row["id"]: MemberContact(
                id=row["id"],
                email=row["email"],
                name=row["display_name"],
                locale=row["locale"],
                active=row["state"] == "active",
            )
            for row in await self._db.fetch(READ_MEMBERS, list(ids))
        }
        return [found.get(key) for key in ids]

    async def find(self, login: str) -> MemberSnapshot | None:
        """See `kameng_membership.contract.Members.find`."""
        try:
            row = await self._db.fetchrow(FIND_MEMBER, normal_email(login))
        except InvalidInput:
            return None
        return MemberSnapshot(id=row["id"], tier=row["tier"], active=row["active"]) if row else None

    async def called(self, text: str, at_most: int) -> list[UUID]:
        """See `kameng_membership.contract.Members.called`."""
        beginning = text.strip().lower()
        if not beginning or "\0" in beginning:
            return []
        rows = await self._db.fetch(MEMBERS_CALLED, escaped_like(beginning) + "%", at_most)
        return [row["id"] for row in rows]
