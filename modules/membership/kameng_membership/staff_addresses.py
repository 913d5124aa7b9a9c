"""Where the staff is reached: notifications ask, membership knows."""

from __future__ import annotations

from collections.abc import Sequence

from kameng.auth import PrincipalKind
from kameng.db import Database
from kameng.notify import Addressee
from kameng_membership.statements import STAFF_HOLDING


class StaffMail:
    """Fulfils `kameng.notify.StaffAddresses`.

    Args:
        db: where the staff is.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def holding(self, permission: str) -> Sequence[Addressee]:
        """See `kameng.notify.StaffAddresses.holding`. One statement."""
        rows = await self._db.fetch(STAFF_HOLDING, permission)
        return [
            Addressee(addresses={"email": row["email"]}, kind=PrincipalKind.STAFF, id=row["id"])
            for row in rows
        ]
