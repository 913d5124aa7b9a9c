"""Which logos are still shown by some draft or some version."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from kameng.db import Statement

if TYPE_CHECKING:
    from kameng.db import Database

IN_USE = Statement(
    "sites.logos_in_use",
    """
    select draft #>> '{logo,name}' as name from sites_site where draft #>> '{logo,name}' = any($1::text[])
    union
    select look #>> '{logo,name}' from sites_version where look #>> '{logo,name}' = any($1::text[])
    """,
)


async def logos_in_use(database: Database, names: Collection[str]) -> set[str]:
    """Those of the names that a draft shows, or a version that may be restored. One statement."""
    return {row["name"] for row in await database.fetch(IN_USE, list(names))}
