"""The job that writes a report to a file for the back office."""

from __future__ import annotations

import tempfile
from datetime import date
from typing import TYPE_CHECKING, cast

from kameng.jobs import JobReport
from kameng.module import JobKind
from kameng_analytics.reports.permissions import EXPORT_REPORTS
from kameng_analytics.reports.reading import Asked, Dimension, Grain
from kameng_analytics.reports.writing import MEDIA_TYPES, ReportForm, write_report

if TYPE_CHECKING:
    from typing import BinaryIO

    from kameng.jobs import JobRun


async def export_report(run: JobRun) -> JobReport:
    """Write a report to a file."""
    given = run.input
    form = ReportForm(given.get("format", "csv"))
    asked = Asked(
        since=date.fromisoformat(given["since"]),
        until=date.fromisoformat(given["until"]),
        currency=given["currency"],
        grain=Grain(given["grain"]),
        dimension=Dimension(given["dimension"]),
    ).check()

    def written(rows: int) -> None:
        run.check()
        run.done = rows

    with tempfile.TemporaryFile(prefix="kameng-report-") as content:
        file = cast("BinaryIO", content)
        rows = await write_report(run.kernel, asked, form, file, run.job.locale, written)
        async with run.chunk():
            run.done = run.total = rows
            await run.kernel.audit.record(
                "analytics.report_exported",
                principal=run.principal,
                subject=f"job:{run.job.id}",
                details={"rows": rows, **{name: str(value) for name, value in given.items()}},
            )
            name = f"report-{asked.dimension}-{asked.since}-{asked.until}.{form.value}"
            await run.store("output", name, MEDIA_TYPES[form], file, confidential=True)
    return JobReport(counts={"rows": rows})


EXPORT_JOB = JobKind(
    name="export_report",
    call=export_report,
    permission=EXPORT_REPORTS,
    title_en="Export of a report",
    title_zh="导出报表",
)
