"""``kameng ledger``: is every cent where the books say, and what do they say?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kameng.cli.running import run
from kameng.errors import InvalidInput
from kameng_settlement.account_commands import print_trial_balance, statement
from kameng_settlement.days.proving import Anchor
from kameng_settlement.rights import grants
from kameng_settlement.verifying import LedgerReport, anchors, verify_ledger

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])


@click.group()
def ledger() -> None:
    """Look after the ledger."""


@ledger.command()
@click.option("--anchor", default="", help="A sealed day that was noted down elsewhere, as DAY:HASH.")
@click.pass_context
def verify(context: click.Context, anchor: str) -> None:
    """Recompute every balance, hold and sealed day; exit code 1 and the differences if there are any."""
    try:
        noted = Anchor.parse(anchor) if anchor else None
    except InvalidInput as error:
        raise click.BadParameter(str(error)) from error

    async def work(kernel: Kernel) -> LedgerReport:
        return await verify_ledger(kernel.db, kernel.vault, anchor=noted)

    report = run(context, work)
    click.echo(str(report))
    context.exit(0 if report.ok else 1)


@ledger.command()
@click.option("--all", "every", is_flag=True, help="Of all sealed days, not of the newest one alone.")
@click.pass_context
def anchor(context: click.Context, every: bool) -> None:
    """Print the newest sealed day and its hash, to be kept elsewhere: on paper, in a mail, in another system.

    The hash covers all days before. `kameng ledger verify --anchor` compares it.
    """

    async def work(kernel: Kernel) -> list[Anchor]:
        return await anchors(kernel.db)

    found = run(context, work)
    if not found:
        click.echo("No day is sealed yet.")
    for each in found if every else found[-1:]:
        click.echo(str(each))


@ledger.command()
@click.pass_context
def seal(context: click.Context) -> None:
    """Seal the days that are over; a worker does it by itself every ten minutes."""
    from kameng_settlement.days.sealing import seal_days

    async def work(kernel: Kernel) -> list[Anchor]:
        await seal_days(kernel)
        return await anchors(kernel.db)

    sealed = run(context, work)
    click.echo(f"{len(sealed)} days are sealed." if sealed else "No day is over yet.")


@ledger.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "xlsx", "beancount"]),
    help="Otherwise as the file's name says.",
)
@click.option("--since", type=_MOMENT, help="By the time of posting, in UTC; from the beginning without it.")
@click.option("--until", type=_MOMENT, help="The first moment that is left out; without it to the end.")
@click.pass_context
def export(
    context: click.Context, file: Path, form: str | None, since: datetime | None, until: datetime | None
) -> None:
    """Write the journal to FILE: a table for spreadsheets, or a book that `bean-check` adds up and proves."""
    from kameng_settlement.exporting.journal import ExportFormat, export_journal
    from kameng_settlement.exporting.reading import EVER
    from kameng_settlement.periods import Period

    name = form or file.suffix.removeprefix(".")
    if name not in set(ExportFormat):
        raise click.BadParameter("name the file .csv, .xlsx or .beancount, or give --format.")
    try:
        period = Period.of(
            since.replace(tzinfo=UTC) if since else EVER.since,
            until.replace(tzinfo=UTC) if until else EVER.until,
        )
    except InvalidInput as error:
        raise click.BadParameter(str(error)) from error

    async def work(kernel: Kernel) -> int:
        with file.open("wb") as opened:
            return await export_journal(kernel, period, ExportFormat(name), opened)

    click.echo(f"{run(context, work)} postings were written to {file}.")


@ledger.command()
@click.argument("role")
def rights(role: str) -> None:
    """Print the SQL that leaves ROLE, as which the shop runs, no right to change what is in the journals.

    For deployments where one role owns the tables and migrates, and another one serves.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", role):
        raise click.BadParameter("a role's name has lower-case letters, digits and underscores.")
    click.echo(grants(role))


ledger.add_command(print_trial_balance)
ledger.add_command(statement)
