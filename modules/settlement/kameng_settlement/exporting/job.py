"""The job that writes the journal to a file for the back office."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from kameng.jobs import JobReport
from kameng.module import JobKind, Permission
from kameng_settlement.exporting.journal import FORMS, ExportFormat, export_journal
from kameng_settlement.exporting.reading import EVER
from kameng_settlement.periods import Period

if TYPE_CHECKING:
    from typing import BinaryIO

    from kameng.jobs import JobRun

EXPORT_LEDGER = Permission("settlement.export_ledger", "Export the ledger to files", "导出账本文件")
"""Whoever may have the journal as a file: it leaves the shop with it."""


async def export_ledger(run: JobRun) -> JobReport:
    """Write the journal of a period to a file."""
    form = ExportFormat(run.input.get("format", "csv"))
    since, until = (run.input.get(name) for name in ("since", "until"))
    period = Period.of(
        datetime.fromisoformat(since) if since else EVER.since,
        datetime.fromisoformat(until) if until else EVER.until,
    )

    def written(rows: int) -> None:
        run.check()
        run.done = rows

    with tempfile.TemporaryFile(prefix="kameng-ledger-") as content:
        file = cast("BinaryIO", content)
        rows = await export_journal(run.kernel, period, form, file, written)
        async with run.chunk():
            run.done = run.total = rows
            await run.kernel.audit.record(
                "settlement.ledger_exported",
                principal=run.principal,
                subject=f"job:{run.job.id}",
                details={"postings": rows, "format": form.value, "since": since, "until": until},
            )
            name = f"ledger-{datetime.now(UTC):%Y%m%d-%H%M}{FORMS[form].suffix}"
            await run.store("output", name, FORMS[form].media_type, file, confidential=True)
    return JobReport(counts={"postings": rows})


EXPORT_JOB = JobKind(
    name="export_ledger",
    call=export_ledger,
    permission=EXPORT_LEDGER,
    title_en="Export of the ledger",
    title_zh="导出账本",
)
