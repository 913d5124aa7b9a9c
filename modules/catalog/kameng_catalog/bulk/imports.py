"""Jobs that import a file: products, prices, cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from kameng.ids import global_id
from kameng.jobs import JobReport, JobRun
from kameng.jobs.job import JobError
from kameng.money import UnitPrice
from kameng_catalog.bulk.reading import sheet_of
from kameng_catalog.bulk.reporting import keep_changes, keep_problems
from kameng_catalog.importing import card_lines, price_lines, product_lines
from kameng_catalog.importing.card_import import import_cards
from kameng_catalog.importing.price_import import import_prices, name_of
from kameng_catalog.importing.product_import import import_products
from kameng_catalog.importing.report import Outcome, ProductReport

if TYPE_CHECKING:
    from kameng_catalog.importing.faults import Faults
    from kameng_catalog.importing.sheets import Sheet
    from kameng_catalog.price_writing import PriceChange, Written


async def import_product_file(run: JobRun) -> JobReport:
    """Create and change products by the job's file. One chunk: all of it is written, or nothing."""
    if done := _done(run):
        return done
    async with sheet_of(run, product_lines.COLUMNS) as sheet, run.chunk():

        async def note(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
            await run.note_all([(subject, content, None) for subject, content in rows])

        report = await import_products(
            run.kernel,
            sheet,
            principal=run.principal,
            keep_good=bool(run.input.get("keep_good")),
            dry_run=run.dry_run,
            source=f"job:{run.job.id}",
            done=note,
        )
        return await _kept(run, sheet, report)


async def import_price_file(run: JobRun) -> JobReport:
    """Set prices by the job's file. One chunk: all of it is written, or nothing."""
    if done := _done(run):
        return done
    async with sheet_of(run, price_lines.COLUMNS) as sheet, run.chunk():

        async def note(rows: Sequence[tuple[str, PriceChange, Written]]) -> None:
            await run.note_all(
                [(sku, price_undo(change, written.old), None) for sku, change, written in rows]
            )

        report = await import_prices(
            run.kernel,
            sheet,
            principal=run.principal,
            keep_good=bool(run.input.get("keep_good")),
            dry_run=run.dry_run,
            source=f"job:{run.job.id}",
            done=note,
        )
        return await _kept(run, sheet, report)


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
    """Put the cards of the job's file into stock. One chunk: all of them come in, or none."""
    if done := _done(run):
        return done
    sku = str(run.input.get("sku") or "")
    columns = card_lines.COLUMNS_OF_ONE_VARIANT if sku else card_lines.COLUMNS
    file = await run.kernel.jobs.files.of_role(run.job.id, "input")
    async with sheet_of(run, columns) as sheet, run.chunk():
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
        )
        if report.batch is not None:
            await run.note(f"batch {report.batch}", {"what": "batch", "batch": str(report.batch)})
        result = JobReport(
            counts={"cards": report.cards, "variants": len(report.counts)},
            problem_count=report.faults.lines,
            problems=await keep_problems(run, report.faults, sheet.encoding),
            applied=report.applied,
            subject=global_id("StockBatch", report.batch) if report.batch else "",
        )
        return await _saved(run, result, report.faults)


async def _kept(run: JobRun, sheet: Sheet, report: ProductReport) -> JobReport:
    counts = {outcome.value: report.count(outcome) for outcome in Outcome}
    result = JobReport(
        counts=counts,
        problem_count=report.faults.lines,
        problems=await keep_problems(run, report.faults, sheet.encoding),
        changes=await keep_changes(run, report.changes, sheet.encoding),
        applied=report.applied and bool(counts["created"] or counts["updated"]),
    )
    return await _saved(run, result, report.faults)


async def _saved(run: JobRun, report: JobReport, faults: Faults) -> JobReport:
    """Keep the report with the chunk, so that a run that dies behind it only has to tell it."""
    run.problems, run.changed = report.problem_count, report.applied
    if faults.count and not run.dry_run and not run.input.get("keep_good"):
        report.error = JobError(
            "FILE_REFUSED",
            f"{faults.lines} {'line is' if faults.lines == 1 else 'lines are'} faulty, so nothing was written.",
            "Mend them, or take the sound lines alone.",
        )
    run.saved["report"] = msgspec.to_builtins(report)
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
