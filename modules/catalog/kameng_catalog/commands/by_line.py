"""Imports of what is judged line by line: products and prices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_catalog.importing.report import ProductReport
    from kameng_catalog.importing.rows import Columns


def import_by_line(
    context: click.Context,
    file: Path,
    columns: Columns,
    call: Callable[..., Awaitable[ProductReport]],
    noun: str,
    *,
    keep_good: bool,
    dry_run: bool,
    errors: Path | None,
    encoding: str | None,
) -> None:
    """Import a file and tell what became of it; exits with 1 if lines are faulty.

    Args:
        context: of the command.
        file: the file.
        columns: those of such a file.
        call: imports it.
        noun: what a line is, such as ``price``.
        keep_good, dry_run, errors, encoding: the options of the command.
    """
    from contextlib import closing

    from kameng.cli.running import run
    from kameng_catalog.commands.principal import COMMAND_LINE
    from kameng_catalog.commands.printing import bar, refusal_of, show_changes, show_faults
    from kameng_catalog.importing.faults import UnreadableFile
    from kameng_catalog.importing.sheets import open_sheet

    async def work(kernel: Kernel) -> ProductReport:
        with (
            bar(f"Reading {file.name}") as advance,
            closing(open_sheet(file, columns, encoding=encoding)) as sheet,
        ):
            return await call(
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
    click.echo(_summary(report, noun))
    if report.faults.count and not report.applied and not dry_run:
        click.echo(refusal_of(report.faults, len(report.changes)), err=True)
    if report.faults.count:
        context.exit(1)


def _summary(report: ProductReport, noun: str) -> str:
    """What was done, or would be, in one line."""
    from kameng_catalog.commands.printing import counted
    from kameng_catalog.importing.report import Outcome

    counts = {outcome: report.count(outcome) for outcome in Outcome}
    numbers = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    told, faulty = counted(len(report.changes), noun), counted(report.faults.lines, "line")
    lines = f"{told}: {numbers}; {faulty} faulty."
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
