"""``kameng migrate``: bring the database to where the code is, or back."""

from __future__ import annotations

import asyncio

import click

from kameng.cli.running import settings_of, with_services
from kameng.db import Database
from kameng.db.migrations import Migrator, Step
from kameng.loader import load_modules
from kameng.logs import configure_logs
from kameng.settings import Settings


@click.group(invoke_without_command=True)
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database to where the code is. Without a subcommand: forwards, all modules."""
    if context.invoked_subcommand is None:
        context.invoke(forwards)


def _say(step: Step) -> None:
    click.echo(f"  {step.app:<16} {step.id}  {step.description}")


async def _with(settings: Settings, work: str, app: str = "", to: str | None = None) -> list[Step]:
    database = Database(settings.engine.database_url, pool_size=3)
    await database.open()
    try:
        migrator = Migrator(database, load_modules(settings))
        if work == "forwards":
            return await migrator.forwards(_say)
        if work == "backwards":
            return await migrator.backwards(app, to, _say)
        return await migrator.pending()
    finally:
        await database.close()


@migrate.command()
@click.pass_context
def forwards(context: click.Context) -> None:
    """Run all migrations that have not run."""
    settings = settings_of(context)
    configure_logs(settings.engine, "cli")
    with with_services(settings) as ready:
        steps = asyncio.run(_with(ready, "forwards"))
    click.echo(
        f"{len(steps)} migrations ran." if steps else "Nothing to do: the database is where the code is."
    )


@migrate.command()
@click.argument("module")
@click.option(
    "--to", metavar="ID", help="Undo down to this migration, which stays. Without it all are undone."
)
@click.confirmation_option(prompt="This drops what the migrations created, with its data. Go on?")
@click.pass_context
def backwards(context: click.Context, module: str, to: str | None) -> None:
    """Undo a module's migrations; MODULE is its name, or `all`."""
    settings = settings_of(context)
    configure_logs(settings.engine, "cli")
    with with_services(settings) as ready:
        steps = asyncio.run(_with(ready, "backwards", module, to))
    click.echo(f"{len(steps)} migrations undone.")


@migrate.command()
@click.pass_context
def status(context: click.Context) -> None:
    """List the migrations that have not run; exit code 1 if there are any."""
    settings = settings_of(context)
    with with_services(settings) as ready:
        steps = asyncio.run(_with(ready, "pending"))
    for step in steps:
        _say(step)
    click.echo(f"{len(steps)} migrations have not run." if steps else "The database is where the code is.")
    context.exit(1 if steps else 0)
