"""Imports whose lines are judged first, all of them, and written after that, chunk by chunk.

So a file with faults changes nothing, while one of half a million lines is not one transaction: if its process dies, the import
goes on behind the last chunk. What somebody else changes between the judgement and a chunk may make a line impossible; such a
line is left out and told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from kameng_catalog.importing.course import Course, OneTransaction
from kameng_catalog.importing.faults import Fault, UnreadableFile
from kameng_catalog.importing.report import Outcome, ProductReport

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng_catalog.importing.rows import Sheet

L = TypeVar("L")
T = TypeVar("T")

CHUNK = 2_000
"""Lines of a chunk, and rows of one statement."""

Told = Callable[[ProductReport], Awaitable[None]]
"""Hears of an import inside one of its transactions."""


class Late(msgspec.Struct, frozen=True, array_like=True):
    """A line that was sound when it was judged, and could not be written.

    Attributes:
        line, column, reason: as `Fault` has them.
        outcome: what would have become of it.
    """

    line: int
    column: str
    reason: str
    outcome: Outcome

    @property
    def fault(self) -> Fault:
        """As the files of faults have it."""
        return Fault(self.line, self.column, self.reason)


class LineImport(Generic[L]):
    """One import. A kind of file says how its lines are judged, grouped and written.

    Attributes:
        report: what is known of it.
        lines: the sound lines of the file.
        alone: whether it is one transaction.
    """

    def __init__(self, db: Database, report: ProductReport) -> None:
        self.db = db
        self.report = report
        self.lines: Sequence[L] = ()
        self.alone = True

    def read(self, lines: Iterable[L], sheet: Sheet, progress: Callable[[Sheet], None], most: int) -> None:
        """Read the lines; for a thread.

        Raises:
            UnreadableFile: there are more than ``most``.
        """
        found: list[L] = []
        for line in lines:
            found.append(line)
            if len(found) % 500 == 0:
                progress(sheet)
            if len(found) > most:
                raise UnreadableFile(
                    f"The file has more than {most:,} lines.", cure="Split it into several files."
                )
        progress(sheet)
        self.lines = found

    async def judge(self) -> None:
        """Fill the report with what is to become of the lines, and write nothing.

        Of a single transaction, lock what they name.
        """
        raise NotImplementedError

    def groups(self) -> Iterable[Sequence[L]]:
        """The lines in the groups in which they are written, the same each time that the file is read."""
        return chunks(self.lines)

    async def write(self, lines: Sequence[L]) -> Sequence[Late]:
        """Write a group, without those that cannot be written."""
        raise NotImplementedError

    async def finish(self, counts: Mapping[str, int]) -> None:
        """Note in the last transaction that all is written, and how many lines of each outcome."""
        raise NotImplementedError

    async def run(
        self,
        course: Course | None,
        *,
        keep_good: bool,
        judged: Told | None = None,
        finished: Told | None = None,
    ) -> ProductReport:
        """Judge and write.

        Args:
            course: commits chunk by chunk, so that the import goes on where it stood when it begins again with the same
                file; without one it is a single transaction, which is undone if anything cannot be written.
            keep_good: write the sound lines although others are faulty.
            judged: called once, before anything is written.
            finished: called in the last transaction. ``course.saved`` holds the ``counts`` of lines by outcome, and those
                that came too `Late`.
        """
        if course is not None:
            self.alone = False
            await self._perform(course, keep_good, judged, finished)
            return self.report
        with suppress(_NothingToKeep):
            async with self.db.transaction():
                await self._perform(OneTransaction(self.db), keep_good, judged, finished)
                if not self.report.applied:
                    raise _NothingToKeep
        return self.report

    async def _perform(
        self, course: Course, keep_good: bool, judged: Told | None, finished: Told | None
    ) -> None:
        report = self.report
        begun = "settled" in course.saved
        async with course.chunk():
            await self.judge()
            if report.dry_run or (report.faults.count and not keep_good and not begun):
                return
            if not begun:
                course.saved["settled"] = 0
                course.saved["counts"] = {outcome.value: report.count(outcome) for outcome in Outcome}
                course.problems = report.faults.lines
                if judged is not None:
                    await judged(report)
        # Of an import that began with a sound file, every fault is one that came since.
        told = {fault.line for fault in report.faults.listed} if keep_good or not begun else set()
        settled = 0
        for lines in self.groups():
            settled += len(lines)
            if settled <= course.saved["settled"]:
                continue
            async with course.chunk():
                late = [item for item in await self.write(lines) if item.line not in told]
                course.saved["settled"] = course.done = settled
                course.problems += len(late)
                course.saved["late"] = [*course.saved.get("late", []), *msgspec.to_builtins(late)]
                for item in late:
                    course.saved["counts"][item.outcome.value] -= 1
            if late and self.alone and not keep_good:
                report.faults.add(*(item.fault for item in late))
                return
        async with course.chunk():
            await self.finish(course.saved["counts"])
            report.applied = True
            if finished is not None:
                await finished(report)


class _NothingToKeep(Exception):
    """Undoes the transaction of an import that is refused, or only tried."""


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Items in chunks."""
    return (items[first : first + CHUNK] for first in range(0, len(items), CHUNK))
