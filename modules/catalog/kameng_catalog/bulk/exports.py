"""Jobs that export: products, prices, cards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from kameng.jobs import JobReport, JobRun, Problem
from kameng.jobs.job import SHOWN
from kameng.kernel import Kernel
from kameng_catalog.bulk.filters import read_filter
from kameng_catalog.bulk.reporting import keep_table, problem_of
from kameng_catalog.exporting.card_export import CardFilter
from kameng_catalog.exporting.exports import (
    Exported,
    Progress,
    export_card_secrets,
    export_cards,
    export_prices,
    export_products,
)
from kameng_catalog.exporting.writers import TableFormat

F = TypeVar("F")

_NO_PRICE = "has no retail price, without which no product file can hold it"


async def export_product_file(run: JobRun) -> JobReport:
    """Write products to a file."""
    return await _export(run, "products", export_products, read_filter(run.input.get("filter")))


async def export_price_file(run: JobRun) -> JobReport:
    """Write prices to a file."""
    return await _export(run, "prices", export_prices, read_filter(run.input.get("filter")))


async def export_card_file(run: JobRun) -> JobReport:
    """Write a list of cards to a file, without their secrets."""
    return await _export(run, "cards", export_cards, _cards_of(run))


async def export_secret_file(run: JobRun) -> JobReport:
    """Write cards with their secrets to a file; each download of it goes into the audit log."""
    return await _export(run, "cards", export_card_secrets, _cards_of(run), confidential=True)


def _cards_of(run: JobRun) -> CardFilter:
    return msgspec.convert(run.input.get("cards") or {}, CardFilter)


async def _export(
    run: JobRun,
    what: str,
    export: Callable[[Kernel, F, TableFormat, Progress], Awaitable[Exported]],
    wanted: F,
    *,
    confidential: bool = False,
) -> JobReport:
    def written(rows: int) -> None:
        # Between two pieces, where nothing is half done.
        run.check()
        run.done = rows

    kind = TableFormat(run.input.get("format", "csv"))
    exported = await export(run.kernel, wanted, kind, written)
    now = datetime.now(UTC)
    problems: list[Problem] = []
    with closing(exported.content):
        async with run.chunk():
            run.done = run.total = exported.rows
            if confidential:
                await run.kernel.audit.record(
                    "catalog.card_secrets_exported",
                    principal=run.principal,
                    subject=f"job:{run.job.id}",
                    details={
                        "cards": exported.rows,
                        "reason": str(run.input.get("reason", "")),
                        "job": str(run.job.id),
                    },
                )
            await run.store(
                "output",
                f"{what}-{now:%Y%m%d-%H%M}{exported.suffix}",
                exported.media_type,
                exported.content,
                confidential=confidential,
            )
            if exported.left_out:
                run.problems = len(exported.left_out)
                rows = [problem_of(0, sku, _NO_PRICE, run.job.locale) for sku in exported.left_out]
                await keep_table(run, "problems", [("", row.subject, row.reason) for row in rows])
                problems = rows[:SHOWN]
    return JobReport(counts={"rows": exported.rows}, problem_count=len(exported.left_out), problems=problems)
