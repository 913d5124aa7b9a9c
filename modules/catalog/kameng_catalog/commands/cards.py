"""``kameng import cards``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kameng_catalog.commands.options import import_options

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_catalog.importing.report import CardReport


@click.command(name="cards")
@import_options
@click.option(
    "--variant", metavar="SKU", default="", help="The variant that all cards of the file belong to."
)
@click.option("--source", default="", help="Where the cards come from, such as the supplier's name.")
@click.pass_context
def cards(
    context: click.Context,
    file: Path,
    variant: str,
    source: str,
    keep_good: bool,
    dry_run: bool,
    errors: Path | None,
    encoding: str | None,
) -> None:
    """Put the cards of a CSV or XLSX file into stock, encrypted.

    All of the file is taken, or nothing. Cards that are in stock already, or were sold, are found. Exits with
    1 if lines are faulty.
    """
    from contextlib import closing

    from kameng.cli.running import run
    from kameng_catalog.commands.principal import COMMAND_LINE
    from kameng_catalog.commands.printing import bar, refusal_of, show_faults
    from kameng_catalog.importing.card_import import import_cards
    from kameng_catalog.importing.card_lines import COLUMNS, COLUMNS_OF_ONE_VARIANT
    from kameng_catalog.importing.faults import UnreadableFile
    from kameng_catalog.importing.sheets import open_sheet

    async def work(kernel: Kernel) -> CardReport:
        with (
            bar(f"Reading {file.name}") as advance,
            closing(
                open_sheet(file, COLUMNS_OF_ONE_VARIANT if variant else COLUMNS, encoding=encoding)
            ) as sheet,
        ):
            return await import_cards(
                kernel,
                sheet,
                principal=COMMAND_LINE,
                variant=variant,
                source=source,
                file_name=file.name,
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
    click.echo(summary_of(report))
    if report.faults.count and not report.applied and not dry_run:
        click.echo(refusal_of(report.faults, report.cards), err=True)
    if report.faults.count:
        context.exit(1)


def summary_of(report: CardReport) -> str:
    """What was done, or would be, in one line."""
    from kameng_catalog.commands.printing import counted

    cards, variants = counted(report.cards, "card"), counted(len(report.counts), "variant")
    found = f"{cards} of {variants}; {counted(report.faults.lines, 'line')} faulty."
    if report.dry_run:
        return f"Dry run, nothing was written. {found}"
    if report.applied:
        return f"{found} Batch {report.batch}."
    return f"Nothing was written. {found}"
