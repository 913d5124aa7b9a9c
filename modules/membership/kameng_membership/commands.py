"""``kameng staff``: the way into a fresh deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kameng.auth.first_administrator import FirstAdministrator
from kameng.cli.running import run

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@click.group()
def staff() -> None:
    """Look after the staff."""


@staff.command("invite-first")
@click.pass_context
def invite_first(context: click.Context) -> None:
    """Print a link that makes the first administrator; it works once, and links printed before stop working."""

    async def work(kernel: Kernel) -> str | None:
        return await kernel.services.get(FirstAdministrator).link()

    link = run(context, work)
    if link is None:
        click.echo("There is an administrator already, who can invite others in the back office.", err=True)
        context.exit(1)
    click.echo(link)
