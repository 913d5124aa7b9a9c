"""What the function of a job works with: its input, its chunks, its files, and who it acts for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from kameng.db.database import as_json
from kameng.errors import NotFound
from kameng.jobs import statements
from kameng.jobs.errors import JobCancelled, JobLost
from kameng.jobs.files import Role

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.jobs.job import Job, JobFile
    from kameng.kernel import Kernel


class JobRun:
    """One run of a job by one worker.

    A job works in chunks. Each is a transaction that also keeps where it ended, so that a run that dies is followed by one that
    begins behind the last chunk:

        while rows := await read_after(run.saved.get("after", 0)):
            async with run.chunk():
                await change(rows)
                run.done += len(rows)
                run.saved["after"] = rows[-1].id

    Attributes:
        kernel: an open kernel.
        job: as it was when the run began.
        principal: who asked for it, without permissions: these were checked when the job was started.
        saved: plain JSON values; what it holds at the end of a chunk is there when the next run begins.
        done, total: progress, told a few times a second; any thread may set them.
        problems: how many rows could not be done so far.
        changed: set it when something was written that the roll-back undoes.
    """

    def __init__(self, kernel: Kernel, job: Job) -> None:
        self.kernel = kernel
        self.job = job
        self.principal: Principal = job.owner
        self.input: Mapping[str, Any] = job.input
        self.saved: dict[str, Any] = dict(job.saved)
        self.done = job.rows_done
        self.total = job.rows_total
        self.problems = job.problems
        self.changed = job.changed
        self.cancel_requested = job.cancel_requested

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be written."""
        return self.job.dry_run

    def check(self) -> None:
        """End the run here if somebody cancelled the job; for places where nothing is half done.

        Raises:
            JobCancelled: somebody did.
        """
        if self.cancel_requested:
            raise JobCancelled("The job was cancelled.")

    @asynccontextmanager
    async def chunk(self) -> AsyncIterator[None]:
        """A transaction with a piece of the work; its end keeps `saved` and the progress.

        Raises:
            JobCancelled: somebody cancelled the job; the chunk was not begun.
            JobLost: another run has the job; the chunk is undone.
        """
        self.check()
        # What a failed chunk leaves here must not be seen by whoever catches its error.
        before = (orjson.dumps(self.saved), self.done, self.problems, self.changed)
        try:
            async with self.kernel.db.transaction():
                yield
                cancel = await self.kernel.db.fetchval(
                    statements.COMMIT_CHUNK,
                    self.job.id,
                    self.job.fence,
                    as_json(self.saved),
                    self.changed,
                    self.done,
                    self.total,
                    self.problems,
                )
                if cancel is None:
                    raise JobLost("Another worker has this job.")
        except BaseException:
            saved, self.done, self.problems, self.changed = before
            self.saved = orjson.loads(saved)
            raise
        self.cancel_requested = self.cancel_requested or cancel

    async def note(
        self, subject: str, content: Mapping[str, Any] | None = None, *, problem: str | None = None
    ) -> None:
        """As `note_all`, for one row."""
        await self.note_all([(subject, content or {}, problem)])

    async def note_all(self, rows: Sequence[tuple[str, Mapping[str, Any], str | None]]) -> None:
        """Keep what was done to rows, inside the chunk that does it.

        Args:
            rows: what names each row; plain JSON values from which a roll-back can undo it; why nothing was done to it, or
                None if something was.
        """
        if rows:
            content = [
                {"subject": subject, "content": content, "problem": why} for subject, content, why in rows
            ]
            text = orjson.dumps(content, default=str).decode()
            await self.kernel.db.execute(statements.NOTE_CHANGES, self.job.id, text)

    async def noted(self) -> AsyncIterator[Mapping[str, Any]]:
        """What was noted, in order: rows with ``subject``, ``content``, ``problem`` and ``outcome``."""
        after = 0
        while rows := await self.kernel.db.fetch(statements.CHANGES, self.job.id, after, 2_000):
            for row in rows:
                yield {**row, "content": orjson.loads(row["content"])}
            after = rows[-1]["id"]

    async def to_undo(self, most: int) -> list[Mapping[str, Any]]:
        """The last changes that no roll-back has come by yet, the last first: rows with ``id``, ``subject`` and ``content``."""
        rows = await self.kernel.db.fetch(statements.LATEST_CHANGES, self.job.id, most)
        return [{**row, "content": orjson.loads(row["content"])} for row in rows]

    async def settle(self, outcomes: Mapping[int, str]) -> None:
        """Keep what became of changes in a roll-back, inside its chunk: ``restored``, or why not; by their ids."""
        await self.kernel.db.execute(
            statements.SETTLE_CHANGES, self.job.id, list(outcomes), list(outcomes.values())
        )

    async def counts(self) -> Mapping[str, int]:
        """How many rows were noted: ``changed`` and ``problems``, and of a roll-back ``restored`` and ``left_alone``."""
        return dict(await self.kernel.db.fetchrow(statements.COUNT_CHANGES, self.job.id) or {})

    async def open_input(self) -> tuple[BinaryIO, JobFile]:
        """The file that the job was started with, and what is known of it; close it when done.

        Raises:
            NotFound: it has none, or it was deleted.
        """
        file = await self.kernel.jobs.files.of_role(self.job.id, "input")
        if file is None:
            raise NotFound("The job's file is not kept any more.", cure="Start it again with the file.")
        return await self.kernel.jobs.files.open(file), file

    async def store(
        self, role: Role, name: str, media_type: str, content: BinaryIO, *, confidential: bool = False
    ) -> JobFile:
        """Keep a file that the job has made, read from its start; see `JobFiles.store`."""
        await asyncio.to_thread(content.seek, 0)
        return await self.kernel.jobs.files.store(
            self.job.id, role, name, media_type, content, confidential=confidential
        )
