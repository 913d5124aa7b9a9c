"""The levels of members."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.db import Database
from kameng.ids import new_id
from kameng_membership.statements import ADD_LEVELS, READ_LEVELS

if TYPE_CHECKING:
    from kameng.kernel import Kernel

DEMO = (("silver", "银牌代理", "Silver agent", 10), ("gold", "金牌代理", "Gold agent", 20))
"""The levels of the demo shop beside ``retail``: code, titles and position."""


class StoredLevel(msgspec.Struct, frozen=True):
    """A level as it is kept."""

    id: UUID
    code: str
    title_zh: str
    title_en: str
    position: int


async def read_levels(db: Database) -> list[StoredLevel]:
    """All levels, in their order."""
    return [StoredLevel(*row.values()) for row in await db.fetch(READ_LEVELS)]


async def seed_levels(kernel: Kernel, _folder: Path) -> str:
    """Add the demo shop's levels; an account is never part of the demo, since that would need a password."""
    codes, chinese, english, positions = zip(*DEMO, strict=True)
    added = await kernel.db.fetch(
        ADD_LEVELS, [new_id() for _ in DEMO], list(codes), list(chinese), list(english), list(positions)
    )
    return f"membership: {len(added)} levels ({', '.join(row['code'] for row in added)})" if added else ""
