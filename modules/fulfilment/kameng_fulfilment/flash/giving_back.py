"""Pieces that come back to their sales."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kameng.db import Database
from kameng_fulfilment.flash.statements import GIVE_BACK


async def give_back(db: Database, lines: Sequence[UUID]) -> None:
    """Give pieces back to their sales, of orders that were never paid. One statement."""
    await db.execute(GIVE_BACK, list(lines))
