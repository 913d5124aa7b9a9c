"""The files of jobs: kept in the database, so that any worker can read what any web process took.

A file is cut into pieces, each sealed by a data key of the file's own: an uploaded file may be full of secrets, and when a file
is deleted its key is destroyed, so that backups of the pieces cannot be read either.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, Literal, cast
from uuid import UUID

from kameng.errors import NotFound
from kameng.ids import new_id
from kameng.jobs import statements
from kameng.jobs.errors import JobFileTooLarge, JobStoreFull
from kameng.jobs.job import JobFile, file_of
from kameng.settings import JobsSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

PIECE = 256 * 1024
"""Bytes of a piece."""

TOGETHER = 16
"""Pieces that are written or read by one statement."""

LONGEST_NAME = 150

Role = Literal["input", "problems", "changes", "output", "undone"]


class JobFiles:
    """``kernel.jobs.files``.

    Args:
        kernel: whose database and vault keep them.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._settings = kernel.settings.section("jobs", JobsSettings)

    async def store(
        self,
        job: UUID,
        role: Role,
        name: str,
        media_type: str,
        content: BinaryIO,
        *,
        confidential: bool = False,
    ) -> JobFile:
        """Keep a file, in place of one that the job has in the same role; joins the transaction around it.

        Args:
            job: whose it is.
            role: what it is to the job.
            name: what to call it, for people; cut where it is too long.
            media_type: of its content.
            content: read from where it stands to its end.
            confidential: whether each download goes into the audit log.

        Raises:
            JobFileTooLarge: it has more than ``[jobs] max_file_bytes``.
            JobStoreFull: all files together would have more than ``[jobs] max_total_bytes``.
        """
        db, settings = self._kernel.db, self._settings
        file, expiry = new_id(), timedelta(days=settings.keep_files_days)
        async with db.transaction():
            before = await db.fetchrow(statements.FILE_OF_ROLE, job, role)
            if before is not None:
                await self.drop([before["id"]])
            stored: int = await db.fetchval(statements.STORED_BYTES)
            key = await self._kernel.vault.new_key(_scope(file))
            row = (file, job, role, name[:LONGEST_NAME], media_type, key.id, confidential, expiry)
            await db.execute(statements.ADD_FILE, *row)
            size = number = 0
            while pieces := await asyncio.to_thread(_read, content):
                size += sum(map(len, pieces))
                if size > settings.max_file_bytes:
                    raise JobFileTooLarge(
                        f"The file has more than {settings.max_file_bytes:,} bytes.",
                        cure="Split it, or let the operator raise [jobs] max_file_bytes.",
                    )
                if stored + size > settings.max_total_bytes:
                    raise JobStoreFull(
                        "There is no room for another file of a job.",
                        cure="Wait until older ones are deleted, or let the operator raise [jobs] max_total_bytes.",
                    )
                sealed = await self._kernel.vault.seal_many(
                    key, [(piece, _place(file, number + i)) for i, piece in enumerate(pieces)]
                )
                rows = [(file, number + i, piece) for i, piece in enumerate(sealed)]
                await db.copy("kernel_job_piece", ("file", "number", "sealed"), rows)
                number += len(pieces)
            return file_of(await db.fetchrow(statements.FINISH_FILE, file, size) or {})

    async def find(self, file: UUID) -> JobFile | None:
        """A file, if it is still kept."""
        row = await self._kernel.db.fetchrow(statements.FIND_FILE, file)
        return None if row is None else file_of(row)

    async def of_role(self, job: UUID, role: Role) -> JobFile | None:
        """The job's file in this role, if there is one."""
        row = await self._kernel.db.fetchrow(statements.FILE_OF_ROLE, job, role)
        return None if row is None else file_of(row)

    async def of_jobs(self, jobs: Sequence[UUID]) -> dict[UUID, list[JobFile]]:
        """The files of each job, the oldest first."""
        found: dict[UUID, list[JobFile]] = {job: [] for job in jobs}
        for row in await self._kernel.db.fetch(statements.FILES_OF, list(jobs)):
            file = file_of(row)
            found[file.job].append(file)
        return found

    async def pieces(self, file: JobFile) -> AsyncIterator[bytes]:
        """The content, some pieces at a time.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        number = done = 0
        while done < file.size:
            rows = await self._kernel.db.fetch(statements.PIECES, file.id, number, TOGETHER)
            if not rows:
                raise NotFound("The file is not kept any more.", cure="Run the job again.")
            opened = await self._kernel.vault.open_many(
                [(file.data_key, row["sealed"], _place(file.id, row["number"])) for row in rows]
            )
            for piece in opened:
                done += len(piece)
                yield piece
            number += len(rows)

    async def open(self, file: JobFile) -> BinaryIO:
        """The content as a file on this machine that has no name there; close it when done.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        local = cast("BinaryIO", tempfile.TemporaryFile(prefix="kameng-job-"))  # noqa: SIM115 - the caller closes it
        try:
            async for piece in self.pieces(file):
                await asyncio.to_thread(local.write, piece)
            local.seek(0)
        except BaseException:
            local.close()
            raise
        return local

    async def drop(self, files: Sequence[UUID]) -> int:
        """Delete files and destroy their keys; returns how many there were."""
        async with self._kernel.db.transaction():
            gone = await self._kernel.db.fetch(statements.DROP_FILES, list(files))
            for row in gone:
                await self._kernel.vault.shred(_scope(UUID(int=row["id"].int)))
        return len(gone)


def _read(content: BinaryIO) -> list[bytes]:
    pieces: list[bytes] = []
    while len(pieces) < TOGETHER and (piece := content.read(PIECE)):
        pieces.append(piece)
    return pieces


def _scope(file: UUID) -> str:
    return f"kernel.job_file:{file}"


def _place(file: UUID, number: int) -> bytes:
    return file.bytes + number.to_bytes(4, "big")
