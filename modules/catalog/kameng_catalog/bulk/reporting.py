"""What jobs of the catalogue write for people: their problems and changes, as files and as the beginning of each."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

from kameng.jobs import FieldChange, JobReport, Problem, RowChange
from kameng.jobs.job import SHOWN
from kameng_catalog.exporting.writers import CsvWriter
from kameng_catalog.importing.fault_texts import in_language
from kameng_catalog.importing.report import Change, Outcome

if TYPE_CHECKING:
    from kameng.jobs import JobRun
    from kameng.jobs.files import Role
    from kameng_catalog.importing.faults import Fault, Faults

T = TypeVar("T")

_AT_ONCE = 2_000

_HEADERS: dict[str, dict[str, tuple[str, ...]]] = {
    "problems": {"en": ("line", "column", "reason"), "zh-CN": ("行", "列", "原因")},
    "changes": {
        "en": ("row", "outcome", "field", "old", "new"),
        "zh-CN": ("对象", "结果", "字段", "原值", "新值"),
    },
    "undone": {"en": ("row", "outcome"), "zh-CN": ("对象", "结果")},
}


def problem_of(line: int, subject: str, reason: str, locale: str) -> Problem:
    """A problem in the language of whoever started the job."""
    return Problem(line, subject, in_language(reason, locale))


async def keep_problems(run: JobRun, faults: Faults, encoding: str) -> list[Problem]:
    """Store what is wrong with a file as a file in its own encoding; gives the first problems."""
    listed = [
        problem_of(fault.line, fault.column, fault.reason, run.job.locale) for fault in faults.in_order()
    ]
    if listed:
        rows = [(str(item.line), item.subject, item.reason) for item in listed]
        await keep_table(run, "problems", rows, encoding)
    return listed[:SHOWN]


async def add_problems(run: JobRun, faults: Sequence[Fault], encoding: str) -> list[Problem]:
    """Store problems behind those that `keep_problems` stored; gives them."""
    files = run.kernel.jobs.files
    before: list[list[str]] = []
    file = await files.of_role(run.job.id, "problems")
    if file is not None:
        with await files.open(file) as opened:
            text = opened.read().decode("gb18030" if encoding == "gb18030" else "utf-8-sig")
        before = list(csv.reader(io.StringIO(text, newline="")))[1:]
    added = [problem_of(fault.line, fault.column, fault.reason, run.job.locale) for fault in faults]
    rows = [*before, *([str(item.line), item.subject, item.reason] for item in added)]
    await keep_table(run, "problems", rows, encoding)
    return added


async def keep_changes(run: JobRun, changes: Sequence[Change], encoding: str) -> list[RowChange]:
    """Store what changes, row by row and field by field; gives the first changes."""
    told = [change for change in changes if change.outcome is not Outcome.UNCHANGED]
    await keep_table(run, "changes", (row for change in told for row in _rows_of(change)), encoding)
    return [
        RowChange(
            change.sku,
            change.outcome.value,
            tuple(FieldChange(item.name, item.old, item.new) for item in change.fields),
        )
        for change in told[:SHOWN]
    ]


def _rows_of(change: Change) -> Iterable[tuple[str, ...]]:
    if not change.fields:
        return [(change.sku, change.outcome.value, "", "", "")]
    return [(change.sku, change.outcome.value, item.name, item.old, item.new) for item in change.fields]


async def keep_table(
    run: JobRun, role: Role, rows: Iterable[Sequence[str]] | AsyncIterator[Sequence[str]], encoding: str = ""
) -> None:
    """Store rows as CSV for people, in place of an earlier file in the same role.

    Args:
        run: whose file it is.
        role: ``problems``, ``changes`` or ``undone``.
        rows: its rows.
        encoding: ``gb18030`` for that; everything else becomes UTF-8 with a mark.
    """
    header = _HEADERS[role].get(run.job.locale, _HEADERS[role]["en"])
    writer = CsvWriter(header, "gb18030" if encoding == "gb18030" else "utf-8-sig", quoting=False)
    try:
        async for some in _in_pieces(rows):
            await asyncio.to_thread(writer.write, some)
        with writer.finish() as content:
            await run.store(role, f"{await _stem(run)}-{role}.csv", writer.media_type, content)
    finally:
        writer.close()


async def _in_pieces(rows: Iterable[T] | AsyncIterator[T]) -> AsyncIterator[list[T]]:
    some: list[T] = []
    if isinstance(rows, AsyncIterator):
        async for row in rows:
            some.append(row)
            if len(some) == _AT_ONCE:
                yield some
                some = []
    else:
        for row in rows:
            some.append(row)
            if len(some) == _AT_ONCE:
                yield some
                some = []
    if some:
        yield some


async def _stem(run: JobRun) -> str:
    file = await run.kernel.jobs.files.of_role(run.job.id, "input")
    return PurePath(file.name).stem if file else run.job.kind.rpartition(".")[2].replace("_", "-")


async def report_of_noted(run: JobRun, names: dict[str, str]) -> JobReport:
    """The report and the files of a job that noted each row that it changed.

    Args:
        run: the run, after its last chunk.
        names: of its outcomes, by which the report counts them: ``changed`` and ``problems``.
    """
    changes: list[RowChange] = []
    problems: list[Problem] = []

    async def changed() -> AsyncIterator[Sequence[str]]:
        async for row in run.noted():
            if row["problem"] is not None:
                continue
            fields = tuple(FieldChange(*field) for field in row["content"]["fields"])
            if len(changes) < SHOWN:
                changes.append(RowChange(row["subject"], "updated", fields))
            for field in fields:
                yield row["subject"], "updated", field.name, field.old, field.new

    async def left() -> AsyncIterator[Sequence[str]]:
        async for row in run.noted():
            if row["problem"] is not None:
                problem = problem_of(0, row["subject"], row["problem"], run.job.locale)
                if len(problems) < SHOWN:
                    problems.append(problem)
                yield "", problem.subject, problem.reason

    counts = await run.counts()
    async with run.chunk():
        await keep_table(run, "changes", changed())
        if counts["problems"]:
            await keep_table(run, "problems", left())
    return JobReport(
        counts={names["changed"]: counts["changed"], names["problems"]: counts["problems"]},
        problem_count=counts["problems"],
        problems=problems,
        changes=changes,
        applied=not run.dry_run and bool(counts["changed"]),
    )


async def report_of_undone(run: JobRun) -> JobReport:
    """The report and the file of a roll-back that settled each row."""
    changes: list[RowChange] = []
    problems: list[Problem] = []

    async def settled() -> AsyncIterator[Sequence[str]]:
        async for row in run.noted():
            outcome = row["outcome"]
            if outcome is None:
                continue
            told = in_language(outcome, run.job.locale)
            if outcome == "restored":
                if len(changes) < SHOWN:
                    changes.append(RowChange(row["subject"], "restored"))
            elif len(problems) < SHOWN:
                problems.append(Problem(0, row["subject"], told))
            yield row["subject"], told

    async with run.chunk():
        await keep_table(run, "undone", settled())
    counts = await run.counts()
    return JobReport(
        counts={"restored": counts["restored"], "left_alone": counts["left_alone"]},
        problem_count=counts["left_alone"],
        problems=problems,
        changes=changes,
        applied=bool(counts["restored"]),
    )
