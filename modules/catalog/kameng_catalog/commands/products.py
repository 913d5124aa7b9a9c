"""``kameng import products``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kameng_catalog.commands.options import import_options

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_catalog.importing.report import ProductReport


@click.command(name="products")
@import_options
@click.pass_context
def products(
    context: click.Context,
    file: Path,
    keep_good: bool,
    dry_run: bool,
    errors: Path | None,
    encoding: str | None,
) -> None:
    """Create and change products, variants, categories and retail prices by a CSV or XLSX file.

    All of the file is taken, or nothing. Exits with 1 if lines are faulty.
    """
    from contextlib import closing

    from kameng.cli.running import run
    from kameng_catalog.commands.principal import COMMAND_LINE
    from kameng_catalog.commands.printing import bar, refusal_of, show_changes, show_faults
    from kameng_catalog.importing.faults import UnreadableFile
    from kameng_catalog.importing.product_import import import_products
    from kameng_catalog.importing.product_lines import COLUMNS
    from kameng_catalog.importing.sheets import open_sheet

    async def work(kernel: Kernel) -> ProductReport:
        with (
            bar(f"Reading {file.name}") as advance,
            closing(open_sheet(file, COLUMNS, encoding=encoding)) as sheet,
        ):
            return await import_products(
                kernel,
                sheet,
                principal=COMMAND_LINE,
                keep_good=keep_good,
                dry_run=dry_run,
                progress=advance,
            )

    try:
        report = run(context, work)
    except UnreadableFile as error:
        show_faults(error.faults, len(error.faults), errors)
        raise
    show_faults(report.faults.in_order(), report.faults.count, errors)
    if dry_run:
        show_changes(_rows(report))
    click.echo(summary_of(report))
    if report.faults.count and not report.applied and not dry_run:
        click.echo(refusal_of(report.faults, len(report.changes)), err=True)
    if report.faults.count:
        context.exit(1)


def summary_of(report: ProductReport) -> str:
    """What was done, or would be, in one line."""
    from kameng_catalog.commands.printing import counted
    from kameng_catalog.importing.report import Outcome

    counts = {outcome: report.count(outcome) for outcome in Outcome}
    numbers = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    variants, faulty = counted(len(report.changes), "variant"), counted(report.faults.lines, "line")
    lines = f"{variants}: {numbers}; {faulty} faulty."
    if report.dry_run:
        return f"Dry run, nothing was written. {lines}"
    if report.applied and not counts[Outcome.CREATED] and not counts[Outcome.UPDATED]:
        return f"Nothing to change. {lines}"
    return lines if report.applied else f"Nothing was written. {lines}"


def _rows(report: ProductReport) -> list[tuple[str, str, str]]:
    from kameng_catalog.importing.report import Outcome

    return [
        (change.sku, change.outcome, "; ".join(str(item) for item in change.fields))
        for change in report.changes
        if change.outcome is not Outcome.UNCHANGED
    ]
