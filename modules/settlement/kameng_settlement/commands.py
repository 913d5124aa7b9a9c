"""``kameng ledger``: is every cent where the books say?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from kameng.cli.running import run
from kameng_settlement.rights import grants
from kameng_settlement.verifying import LedgerReport, verify_ledger

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@click.group()
def ledger() -> None:
    """Look after the ledger."""


@ledger.command()
@click.pass_context
def verify(context: click.Context) -> None:
    """Recompute every balance from the postings; exit code 1 and the differences if there are any."""

    async def work(kernel: Kernel) -> LedgerReport:
        return await verify_ledger(kernel.db)

    report = run(context, work)
    click.echo(str(report))
    context.exit(0 if report.ok else 1)


@ledger.command()
@click.argument("role")
def rights(role: str) -> None:
    """Print the SQL that leaves ROLE, as which the shop runs, no right to change what is in the journals.

    For deployments where one role owns the tables and migrates, and another one serves.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", role):
        raise click.BadParameter("a role's name has lower-case letters, digits and underscores.")
    click.echo(grants(role))
