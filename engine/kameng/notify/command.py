"""``kameng notify``: see whether mail goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@click.group()
def notify() -> None:
    """Look after notifications."""


@notify.command()
@click.argument("address")
@click.option("--locale", type=click.Choice(["zh-CN", "en"]), default="zh-CN", show_default=True)
@click.pass_context
def test(context: click.Context, address: str, locale: str) -> None:
    """Send a test mail to ADDRESS now, and say what the mail server answered. Exit code 1 if it did not take it."""
    from kameng.cli.running import run

    async def work(kernel: Kernel) -> str:
        from kameng.errors import BootError
        from kameng.ids import new_id
        from kameng.notify.contract import EMAIL
        from kameng.notify.errors import NotifyError
        from kameng.notify.sending import telling_of

        telling = telling_of(kernel)
        if not telling.reaches(EMAIL):
            raise BootError(
                "No mail server is set up.", cure="Set smtp_host and sender in [notify] of kameng.toml."
            )
        text = telling.templates.render("notify.test", locale, {"url": kernel.settings.public_url})
        try:
            return await telling.channels[EMAIL].send(new_id(), address, text)
        except NotifyError as error:
            raise click.ClickException(str(error)) from error

    click.echo(f"The mail server took it: {run(context, work)}")
