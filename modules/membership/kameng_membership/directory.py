"""What principals may do: the kernel asks, membership knows."""

from __future__ import annotations

from uuid import UUID

from kameng.auth import PrincipalKind
from kameng.db import Database
from kameng_membership.statements import MEMBER_ACTIVE, STAFF_PERMISSIONS


class Directory:
    """Fulfils `kameng.auth.PrincipalDirectory` for members and staff.

    Args:
        db: where they are.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def permissions(self, kind: PrincipalKind, id: UUID) -> frozenset[str] | None:  # noqa: A002 - the contract's name
        """See `kameng.auth.PrincipalDirectory.permissions`. A member has none; being one is enough for the shop."""
        if kind is PrincipalKind.MEMBER:
            return frozenset() if await self._db.fetchval(MEMBER_ACTIVE, id) else None
        if kind is PrincipalKind.STAFF:
            row = await self._db.fetchrow(STAFF_PERMISSIONS, id)
            return frozenset(row["permissions"]) if row and row["active"] else None
        return None
