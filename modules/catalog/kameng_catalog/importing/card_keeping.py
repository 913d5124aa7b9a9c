"""Keeping pieces of an import: each is copied into the vault in a chunk of its own, without what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from kameng.errors import Conflict
from kameng_catalog.importing import card_statements as statements
from kameng_catalog.importing.card_rows import COLUMNS, SealedRows

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_catalog.importing.course import Course
    from kameng_catalog.importing.faults import Faults

_TRIES = 5
"""How often a piece is tried while others bring some of the same cards."""


class CardKeeper:
    """Keeps the pieces of one import, one after the other.

    Args:
        kernel: whose vault takes them.
        course: what the import is carried by.
        batch: their batch.
        faults: those found so far, for the progress.
        alone: whether all pieces are of one transaction.
    """

    def __init__(self, kernel: Kernel, course: Course, batch: UUID, faults: Faults, *, alone: bool) -> None:
        self._db = kernel.db
        self._course = course
        self._batch = batch
        self._faults = faults
        self._alone = alone
        self._comparing = False

    async def keep(self, row: int, rows: SealedRows) -> tuple[SealedRows, Mapping[bytes, str]]:
        """Copy what is new of a piece, which ends with that row of the file.

        Returns:
            The piece, and what the vault had by others: since when, by blind indexes.

        Raises:
            Conflict: others bring some of the same cards at this very moment.
        """
        course = self._course
        began_before = row <= int(course.saved.get("rows", 0))
        # What is not sealed, since it is not wanted, is compared only.
        comparing = self._comparing or began_before or not rows.sealed
        for _ in range(_TRIES):
            try:
                async with course.chunk():
                    known, ours = await self._known(rows) if comparing else ({}, set())
                    if rows.sealed and len(rows) > len(known) + len(ours):
                        await self._copy(rows, known.keys() | ours)
                    course.done = max(course.done, row)
                    course.saved["rows"] = course.done
                    course.problems = self._faults.lines + len(known)
            except asyncpg.UniqueViolationError:
                comparing = True
            except asyncpg.DeadlockDetectedError:
                # Of a single transaction it is the earlier pieces that the others wait for.
                if self._alone:
                    break
                comparing = True
            else:
                # A file that brings some known cards mostly brings more.
                self._comparing = bool(known)
                return rows, known
        raise Conflict(
            "Another import brings some of these cards at the same moment; nothing was put into stock.",
            cure="Import the file again, to be told which.",
        )

    async def _known(self, rows: SealedRows) -> tuple[dict[bytes, str], set[bytes]]:
        """Which cards of a piece are in the vault: since when, or by an earlier beginning of this import."""
        known: dict[bytes, str] = {}
        ours: set[bytes] = set()
        for found in await self._db.fetch(statements.KNOWN, rows.indexes):
            if found["batch"] == self._batch:
                ours.add(found["blind_index"])
            else:
                known[found["blind_index"]] = f"{found['created_at']:%Y-%m-%d %H:%M}"
        return known, ours

    async def _copy(self, rows: SealedRows, without: set[bytes]) -> None:
        scope = self._db.scope
        assert scope is not None  # noqa: S101 - every chunk is a transaction
        # The driver takes bytes for a path.
        content = memoryview(rows.copied(without) if without else rows.content)
        await scope.run(
            lambda connection: connection.copy_to_table(
                "catalog_card", source=content, columns=list(COLUMNS), format="binary"
            )
        )
