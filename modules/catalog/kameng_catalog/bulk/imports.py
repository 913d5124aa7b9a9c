"""Jobs that import a file: products, prices, cards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from kameng.errors import Refusal
from kameng.ids import global_id
from kameng.jobs import JobCancelled, JobReport, JobRun
from kameng.jobs.job import SHOWN, JobError
from kameng.money import UnitPrice
from kameng_catalog.bulk.reading import sheet_of
from kameng_catalog.bulk.reporting import add_problems, keep_changes, keep_problems
from kameng_catalog.importing import card_lines, price_lines, product_lines
from kameng_catalog.importing.arriving import take_back
from kameng_catalog.importing.card_import import import_cards
from kameng_catalog.importing.in_chunks import Late
from kameng_catalog.importing.price_import import import_prices, name_of
from kameng_catalog.importing.product_import import import_products
from kameng_catalog.importing.report import CardReport, Outcome, ProductReport

if TYPE_CHECKING:
    from kameng_catalog.importing.rows import Columns, Sheet
    from kameng_catalog.price_writing import PriceChange, Written


async def import_product_file(run: JobRun) -> JobReport:
    """Create and change products by the job's file, in chunks that outlive the worker; nothing, if it has faults."""

    async def note(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        run.changed = True
        await run.note_all([(subject, content, None) for subject, content in rows])

    return await _judged_and_written(run, product_lines.COLUMNS, partial(import_products, done=note))


async def import_price_file(run: JobRun) -> JobReport:
    """Set prices by the job's file, in chunks that outlive the worker; nothing, if it has faults."""

    async def note(rows: Sequence[tuple[str, PriceChange, Written]]) -> None:
        run.changed = True
        await run.note_all([(sku, price_undo(change, written.old), None) for sku, change, written in rows])

    return await _judged_and_written(run, price_lines.COLUMNS, partial(import_prices, done=note))


async def _judged_and_written(
    run: JobRun, columns: Columns, call: Callable[..., Awaitable[ProductReport]]
) -> JobReport:
    if done := _done(run):
        return done
    async with sheet_of(run, columns) as sheet:

        async def judged(report: ProductReport) -> None:
            # What would be done is told by the file as it is now; a part of it is done when the job begins again.
            run.saved["judged"] = msgspec.to_builtins(await _told(run, sheet, report))

        async def finished(_report: ProductReport) -> None:
            result = msgspec.convert(run.saved.pop("judged"), JobReport)
            late = msgspec.convert(run.saved.pop("late", []), list[Late])
            if late:
                added = await add_problems(run, [item.fault for item in late], sheet.encoding)
                result.problems = [*result.problems, *added][:SHOWN]
                result.problem_count += len(late)
            result.counts = run.saved.pop("counts")
            result.applied = bool(result.counts["created"] or result.counts["updated"])
            _save(run, result)

        report = await call(
            run.kernel,
            sheet,
            principal=run.principal,
            keep_good=bool(run.input.get("keep_good")),
            dry_run=run.dry_run,
            source=f"job:{run.job.id}",
            course=run,
            judged=judged,
            finished=finished,
        )
        if not report.applied:
            async with run.chunk():
                _save(run, _refused(run, await _told(run, sheet, report)))
    return _done(run) or JobReport()


def price_undo(change: PriceChange, old: int | None) -> dict[str, Any]:
    """What undoes a change of a price."""
    price = {
        "variant": str(change.variant),
        "tier": change.tier,
        "min_quantity": change.min_quantity,
        "currency": change.currency,
        "site": change.site,
        "starts_at": change.starts_at and change.starts_at.isoformat(),
        "ends_at": change.ends_at and change.ends_at.isoformat(),
    }
    return {"what": "price", "name": name_of(change), "price": price, "old": old, "new": change.units}


async def import_card_file(run: JobRun) -> JobReport:
    """Put the cards of the job's file into stock, all of them or none; they arrive in chunks that outlive the worker."""
    if done := _done(run):
        return done
    sku = str(run.input.get("sku") or "")
    columns = card_lines.COLUMNS_OF_ONE_VARIANT if sku else card_lines.COLUMNS
    file = await run.kernel.jobs.files.of_role(run.job.id, "input")
    async with sheet_of(run, columns) as sheet:

        async def note(report: CardReport) -> None:
            await run.note(f"batch {report.batch}", {"what": "batch", "batch": str(report.batch)})
            await _cards_told(run, sheet, report)

        try:
            report = await import_cards(
                run.kernel,
                sheet,
                principal=run.principal,
                variant=sku,
                source=str(run.input.get("source") or ""),
                file_name=file.name if file else "",
                keep_good=bool(run.input.get("keep_good")),
                dry_run=run.dry_run,
                cost=_cost_of(run),
                expires_on=_last_day_of(run),
                course=run,
                # Whoever finds the batch of a job that has ended knows that nobody will go on with it.
                key=run.job.id,
                done=note,
            )
        except (Refusal, JobCancelled):
            await take_back(run.kernel, run.job.id)
            raise
        if not report.applied:
            async with run.chunk():
                await _cards_told(run, sheet, report)
    return _done(run) or JobReport()


async def _cards_told(run: JobRun, sheet: Sheet, report: CardReport) -> None:
    result = JobReport(
        counts={"cards": report.cards, "variants": len(report.counts)},
        problem_count=report.faults.lines,
        problems=await keep_problems(run, report.faults, sheet.encoding),
        applied=report.applied,
        subject=global_id("StockBatch", report.batch) if report.batch else "",
    )
    run.total = run.done
    _save(run, result if report.applied else _refused(run, result))


async def _told(run: JobRun, sheet: Sheet, report: ProductReport) -> JobReport:
    return JobReport(
        counts={outcome.value: report.count(outcome) for outcome in Outcome},
        problem_count=report.faults.lines,
        problems=await keep_problems(run, report.faults, sheet.encoding),
        changes=await keep_changes(run, report.changes, sheet.encoding),
    )


def _save(run: JobRun, report: JobReport) -> None:
    """Keep the report with the chunk, so that a run that dies behind it only has to tell it."""
    run.problems, run.changed = report.problem_count, run.changed or report.applied
    run.done = run.total = max(run.done, run.total or 0)
    run.saved["report"] = msgspec.to_builtins(report)


def _refused(run: JobRun, report: JobReport) -> JobReport:
    """The report of an import that wrote nothing, with the reason if it should have."""
    lines = report.problem_count
    if lines and not run.dry_run and not run.input.get("keep_good"):
        report.error = JobError(
            "FILE_REFUSED",
            f"{lines} {'line is' if lines == 1 else 'lines are'} faulty, so nothing was written.",
            "Mend them, or take the sound lines alone.",
        )
    return report


def _done(run: JobRun) -> JobReport | None:
    saved = run.saved.get("report")
    return None if saved is None else msgspec.convert(saved, JobReport)


def _cost_of(run: JobRun) -> UnitPrice | None:
    units = run.input.get("cost_units")
    return UnitPrice(units, str(run.input["cost_currency"])) if isinstance(units, int) else None


def _last_day_of(run: JobRun) -> date | None:
    day = run.input.get("expires_on")
    return date.fromisoformat(day) if isinstance(day, str) else None
