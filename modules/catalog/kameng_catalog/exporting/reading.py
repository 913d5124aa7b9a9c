"""Reading what is exported: one snapshot of the database, some rows at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kameng.db import Statement

if TYPE_CHECKING:
    from kameng.db import Database

AT_ONCE = 1_000
"""Rows that are in memory together."""


async def rows_in_pieces(
    db: Database, statement: Statement, *values: Any
) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """The rows of a statement, `AT_ONCE` at a time, all as they were at one moment.

    It has a connection of its own, outside any transaction of the task.
    """
    async with (
        db.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        cursor = await connection.cursor(statement.sql, *values)
        while rows := await cursor.fetch(AT_ONCE):
            yield rows
