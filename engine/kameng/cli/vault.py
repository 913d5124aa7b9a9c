"""``kameng vault``: the master keys, from the first to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kameng.cli.running import run, settings_of

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@click.group()
def vault() -> None:
    """Look after the keys that seal cards and other secrets."""


@vault.command()
@click.pass_context
def init(context: click.Context) -> None:
    """Make the master keys of a new shop. Needs no database, and never overwrites keys."""
    from kameng.vault import KeyRingReadOnlyError, create_key_ring, locate

    path = locate(settings_of(context)).path
    if path is None:
        raise KeyRingReadOnlyError(
            "The master keys come by KAMENG_MASTER_KEYS, so there is no file to make.",
            cure="Take the variable away to keep the keys in a file.",
        )
    create_key_ring(path)
    click.echo(f"Master keys were made at {path}, for its owner alone.")
    click.echo("Back the file up apart from the database: without it nothing sealed can be opened again.")


@vault.command()
@click.pass_context
def rotate(context: click.Context) -> None:
    """Put a new master key in force and wrap all data keys by it. The shop may run meanwhile.

    What is sealed stays as it is. With several machines, copy the file of master keys to all of them afterwards.
    """

    async def work(kernel: Kernel) -> tuple[int, int]:
        version = await kernel.vault.rotate_master()
        click.echo(f"Master key {version} is in force.")
        wrapped = 0
        # Another process may have wrapped new data keys by the old one while we began.
        while count := await kernel.vault.rewrap():
            wrapped += count
        return version, wrapped

    version, wrapped = run(context, work)
    click.echo(f"{wrapped} data keys are wrapped by master key {version} now.")


@vault.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Print where the master keys lie and how many data keys each of them wraps."""
    from kameng.vault import locate

    async def work(kernel: Kernel) -> dict[int, int]:
        await kernel.vault.check_keys()
        return await kernel.vault.master_usage()

    usage = run(context, work)
    click.echo(f"master keys: {locate(settings_of(context)).path or 'from the environment'}")
    if not usage:
        click.echo("Nothing is sealed yet.")
    for version, count in sorted(usage.items()):
        note = "in force" if version == max(usage) else "old" if count else "old, wraps nothing any more"
        click.echo(f"  version {version:>3}  {count:>7} data keys  {note}")
