"""What the staff is called: histories ask, membership knows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kameng.db import Database, Statement

_NAMES = Statement(
    "membership.staff_names",
    "select id, coalesce(nullif(name, ''), email) as name from membership_staff where id = any($1::uuid[])",
)


class StaffDirectory:
    """Fulfils `kameng.auth.StaffNames`.

    Args:
        db: where the staff is.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def names(self, ids: Sequence[UUID]) -> list[str | None]:
        """See `kameng.auth.StaffNames.names`. One statement."""
        found = {row["id"]: row["name"] for row in await self._db.fetch(_NAMES, list(ids))}
        return [found.get(key) for key in ids]
