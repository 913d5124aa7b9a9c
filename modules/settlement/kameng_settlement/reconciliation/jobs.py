"""Jobs of reconciliation: importing a bill, comparing a day, exporting its cases."""

from __future__ import annotations

import tempfile
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, BinaryIO, cast

from kameng.errors import KamengError
from kameng.ids import global_id
from kameng.jobs import JobReport, Problem
from kameng.jobs.job import JobError
from kameng.module import JobKind
from kameng_settlement.reconciliation.exporting import MEDIA_TYPES, CaseFileFormat, export_cases
from kameng_settlement.reconciliation.faults import UnreadableBill
from kameng_settlement.reconciliation.importing import import_bill
from kameng_settlement.reconciliation.permissions import READ_RECONCILIATION, RECONCILE
from kameng_settlement.reconciliation.running import reconcile

if TYPE_CHECKING:
    from kameng.jobs import JobRun


async def import_bill_file(run: JobRun) -> JobReport:
    """Take in the job's file. One chunk: all of it, or nothing."""
    day = run.input.get("day")

    def read(rows: int) -> None:
        run.done = rows

    content, file = await run.open_input()
    with closing(content):
        try:
            async with run.chunk():
                taken = await import_bill(
                    run.kernel,
                    content,
                    source=str(run.input["source"]),
                    form=str(run.input["format"]),
                    principal=run.principal,
                    day=date.fromisoformat(day) if day else None,
                    file_name=file.name,
                    progress=read,
                )
                run.done = run.total = taken.rows
        except UnreadableBill as fault:
            return JobReport(
                problem_count=1,
                problems=[Problem(fault.line, fault.column, fault.what)],
                error=JobError(fault.code, fault.message, fault.cure),
            )
        except KamengError as error:
            return _refused(error)
    report = JobReport(
        counts={"rows": taken.rows, "fresh": int(taken.fresh)},
        applied=taken.fresh,
        subject=global_id("Bill", taken.id),
    )
    if run.input.get("reconcile") and taken.kind.value == "trade":
        after = await _compare(run, taken.source, taken.day)
        report.counts |= after.counts
        report.error = after.error
    return report


async def reconcile_day(run: JobRun) -> JobReport:
    """Compare a day. One chunk: all of it, or nothing."""
    return await _compare(run, str(run.input["source"]), date.fromisoformat(str(run.input["day"])))


async def _compare(run: JobRun, source: str, day: date) -> JobReport:
    try:
        async with run.chunk():
            done = await reconcile(run.kernel, source, day, principal=run.principal)
            run.done = run.total = done.their_rows + done.our_rows
    except KamengError as error:
        return _refused(error)
    counts = {"matched": done.matched, "carried": done.carried, "cleared": done.cleared}
    return JobReport(
        counts=counts | done.opened,
        applied=bool(done.opened or done.cleared),
        subject=global_id("Reconciliation", done.id),
    )


async def export_day(run: JobRun) -> JobReport:
    """Write the cases of a day to a file."""
    source, day = str(run.input["source"]), date.fromisoformat(str(run.input["day"]))
    form = CaseFileFormat(run.input.get("format", "csv"))
    with cast("BinaryIO", tempfile.TemporaryFile(prefix="kameng-cases-")) as file:
        rows = await export_cases(run.kernel, source, day, form, file)
        async with run.chunk():
            run.done = run.total = rows
            name = f"reconciliation-{source.replace(':', '-')}-{day}.{form.value}"
            await run.store("output", name, MEDIA_TYPES[form], file)
    return JobReport(counts={"cases": rows})


def _refused(error: KamengError) -> JobReport:
    # What is no refusal of ours, such as a lost job, goes on to whoever runs it.
    if error.code.startswith("JOB_"):
        raise error
    return JobReport(error=JobError(error.code, error.message, error.cure))


JOBS = (
    JobKind(
        name="import_bill",
        call=import_bill_file,
        permission=RECONCILE,
        title_en="Import of a gateway's bill",
        title_zh="导入支付账单",
    ),
    JobKind(
        name="reconcile",
        call=reconcile_day,
        permission=RECONCILE,
        title_en="Reconciliation of a day",
        title_zh="执行对账",
    ),
    JobKind(
        name="export_reconciliation",
        call=export_day,
        permission=READ_RECONCILIATION,
        title_en="Export of a reconciliation",
        title_zh="导出对账结果",
    ),
)
