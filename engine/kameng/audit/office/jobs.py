"""The jobs of the audit log: a file of entries, and the check of the whole chain."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import msgspec

from kameng.audit.details import JSON
from kameng.audit.office.filtering import EntryFilter
from kameng.audit.office.permissions import READ_AUDIT
from kameng.jobs.job import SHOWN, JobReport, Problem
from kameng.module import JobKind
from kameng.spreadsheets import CSV_TYPE, CsvTable

if TYPE_CHECKING:
    from kameng.jobs import JobRun

COLUMNS = ("at", "action", "actor", "subject", "details", "address", "correlation_id", "position")
PIECE = 2_000


async def export_entries(run: JobRun) -> JobReport:
    """Write the entries that were asked for to a CSV file, the oldest first."""
    wanted = msgspec.convert(dict(run.input), EntryFilter)
    conditions, values = wanted.conditions()
    # What comes while it is written stands in the next file.
    values.append(datetime.now(UTC))
    conditions.append(f"a.at < ${len(values)}")
    last: tuple[Any, ...] = ()
    with tempfile.TemporaryFile(prefix="kameng-audit-") as content:
        file = cast("BinaryIO", content)
        table = CsvTable(file, COLUMNS)
        while True:
            run.check()
            behind = f"(a.at, a.id) > (${len(values) + 1}, ${len(values) + 2})" if last else "true"
            rows = await run.kernel.db.fetch(
                "select a.*, c.position from kernel_audit a left join kernel_audit_chain c on c.audit_id = a.id"
                f" where {' and '.join([*conditions, behind])} order by a.at, a.id limit {PIECE}",
                *values,
                *last,
            )
            table.write([_cells(row) for row in rows])
            run.done += len(rows)
            if len(rows) < PIECE:
                break
            last = (rows[-1]["at"], rows[-1]["id"])
        table.finish()
        async with run.chunk():
            run.total = run.done
            told: dict[str, JSON] = {
                "entries": run.done,
                **{key: value for key, value in run.input.items() if value},
            }
            await run.kernel.audit.record(
                "audit.exported", principal=run.principal, subject=f"job:{run.job.id}", details=told
            )
            name = f"audit-{datetime.now(UTC):%Y%m%d-%H%M}.csv"
            await run.store("output", name, CSV_TYPE, file, confidential=True)
    return JobReport(counts={"entries": run.done})


def _cells(row: Any) -> list[str]:
    key = row["principal_id"]
    return [
        row["at"].astimezone(UTC).isoformat(timespec="milliseconds"),
        row["action"],
        f"{row['principal_kind']}:{key}" if key else row["principal_kind"],
        row["subject"],
        row["details"],
        row["address"],
        row["correlation_id"],
        str(row["position"] or ""),
    ]


async def verify_chain(run: JobRun) -> JobReport:
    """Recompute the chain; what does not fit are the job's problems."""
    report = await run.kernel.audit.verify()
    async with run.chunk():
        run.done = run.total = report.entries
        run.problems = report.count
        told: dict[str, JSON] = {
            "entries": report.entries,
            "findings": report.count,
            "head": str(report.head),
        }
        await run.kernel.audit.record(
            "audit.verified", principal=run.principal, subject=f"job:{run.job.id}", details=told
        )
    return JobReport(
        counts={"entries": report.entries, "pending": report.pending, "findings": report.count},
        problem_count=report.count,
        problems=[
            Problem(item.position or 0, str(item.kind), item.message) for item in report.findings[:SHOWN]
        ],
    )


EXPORT_JOB = JobKind(
    name="export",
    call=export_entries,
    permission=READ_AUDIT,
    title_en="Export of the audit log",
    title_zh="导出审计日志",
)
"""Writing entries to a file."""

VERIFY_JOB = JobKind(
    name="verify",
    call=verify_chain,
    permission=READ_AUDIT,
    title_en="Check of the audit log's chain",
    title_zh="校验审计日志链",
)
"""Recomputing the chain."""
