"""``kameng audit``: is the log of who did what whole?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kameng.cli.running import run

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@click.group()
def audit() -> None:
    """Look after the audit log."""


@audit.command()
@click.option(
    "--anchor", metavar="POSITION:HASH", help="A head that an earlier run printed and you kept elsewhere."
)
@click.pass_context
def verify(context: click.Context, anchor: str | None) -> None:
    """Recompute the hash chain; exit code 1 and the first broken place if anything was changed, removed or put in."""
    from kameng.audit.command import verify_command

    async def work(kernel: Kernel) -> int:
        return await verify_command(kernel, click.echo, anchor or "")

    context.exit(run(context, work))
