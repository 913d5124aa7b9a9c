"""``kameng import prices``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kameng_catalog.commands.options import import_options

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_catalog.importing.report import ProductReport


@click.command(name="prices")
@import_options
@click.pass_context
def prices(
    context: click.Context,
    file: Path,
    keep_good: bool,
    dry_run: bool,
    errors: Path | None,
    encoding: str | None,
) -> None:
    """Set prices of any tier, quantity, site and period by a CSV or XLSX file.

    All of the file is taken, or nothing; prices that it does not name stay. Exits with 1 if lines are faulty.
    """
    from contextlib import closing

    from kameng.cli.running import run
    from kameng_catalog.commands.principal import COMMAND_LINE
    from kameng_catalog.commands.printing import bar, counted, refusal_of, show_changes, show_faults
    from kameng_catalog.importing.faults import UnreadableFile
    from kameng_catalog.importing.price_import import import_prices
    from kameng_catalog.importing.price_lines import COLUMNS
    from kameng_catalog.importing.report import Outcome
    from kameng_catalog.importing.sheets import open_sheet

    async def work(kernel: Kernel) -> ProductReport:
        with (
            bar(f"Reading {file.name}") as advance,
            closing(open_sheet(file, COLUMNS, encoding=encoding)) as sheet,
        ):
            return await import_prices(
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
        show_changes(
            [
                (change.sku, change.outcome, "; ".join(str(item) for item in change.fields))
                for change in report.changes
                if change.outcome is not Outcome.UNCHANGED
            ]
        )
    numbers = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in Outcome)
    faulty = counted(report.faults.lines, "line")
    told = f"{counted(len(report.changes), 'price')}: {numbers}; {faulty} faulty."
    if dry_run:
        click.echo(f"Dry run, nothing was written. {told}")
    else:
        click.echo(told if report.applied else f"Nothing was written. {told}")
    if report.faults.count and not report.applied and not dry_run:
        click.echo(refusal_of(report.faults, len(report.changes)), err=True)
    if report.faults.count:
        context.exit(1)
