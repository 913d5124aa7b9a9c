"""``kameng events``: what is under way, what died, and another try for it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import click

from kameng.cli.running import run

if TYPE_CHECKING:
    from kameng.kernel import Kernel

PAGE = 500
"""Dead letters that are read at a time."""


@click.group()
def events() -> None:
    """Look after events and tasks that could not be handled."""


@events.command()
@click.pass_context
def backlog(context: click.Context) -> None:
    """Print how much is under way, each counted up to 100,000."""

    async def work(kernel: Kernel) -> list[tuple[str, int, str]]:
        found = await kernel.events.backlog()
        return [
            ("unrelayed", found.unrelayed, "events that have not got their deliveries yet"),
            ("owed", found.owed, "deliveries that are not handled yet"),
            ("dead", found.dead, "deliveries given up; `kameng events dead` lists them"),
            ("dead tasks", len(await _dead_tasks(kernel)), "tasks given up; in the same list"),
        ]

    for name, count, about in run(context, work):
        click.echo(f"{name:<11} {count:>7}  {about}")


@events.command()
@click.option(
    "--first", type=click.IntRange(1), default=50, show_default=True, help="How many of each at most."
)
@click.pass_context
def dead(context: click.Context, first: int) -> None:
    """List dead deliveries of events and dead tasks, the oldest first.

    Each line starts with the key that `kameng events requeue` takes.
    """

    async def work(kernel: Kernel) -> list[tuple[str, str, int, str]]:
        letters = await kernel.events.list_dead(first)
        tasks = await kernel.tasks.list_dead(first)
        return [
            *((f"{item.event}:{item.handler}", item.topic, item.attempts, item.error) for item in letters),
            *((str(item.id), item.name, item.attempts, item.error) for item in tasks),
        ]

    lines = run(context, work)
    for key, what, attempts, error in lines:
        click.echo(f"{key}  {what}  {attempts} attempts  {error}")
    if not lines:
        click.echo("Nothing is dead.")


@events.command()
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All dead deliveries and tasks.")
@click.pass_context
def requeue(context: click.Context, keys: tuple[str, ...], everything: bool) -> None:
    """Let dead deliveries and tasks be tried anew, with all their attempts.

    KEY is one that `kameng events dead` printed. Exit code 1 if one of them is not dead.
    """
    if bool(keys) == everything:
        raise click.UsageError("Name keys as `kameng events dead` prints them, or say --all.", context)
    deliveries, tasks = _read_keys(keys)

    async def work(kernel: Kernel) -> int:
        if everything:
            return await _requeue_all(kernel)
        return await kernel.events.requeue(deliveries) + await kernel.tasks.requeue(tasks)

    count = run(context, work)
    click.echo(f"{count} will be tried anew." if count else "Nothing was dead.")
    if not everything and count < len(set(keys)):
        click.echo(f"{len(set(keys)) - count} of the keys name nothing dead.", err=True)
        context.exit(1)


def _read_keys(keys: tuple[str, ...]) -> tuple[list[tuple[int, str]], list[UUID]]:
    deliveries: list[tuple[int, str]] = []
    tasks: list[UUID] = []
    for key in dict.fromkeys(keys):
        number, colon, handler = key.partition(":")
        try:
            if colon and number.isascii() and number.isdigit() and int(number) < 2**63 and handler:
                deliveries.append((int(number), handler))
            else:
                tasks.append(UUID(key))
        except ValueError as error:
            raise click.UsageError(
                f"{key!r} is no key: `kameng events dead` prints them, such as 17:analytics.count_orders."
            ) from error
    return deliveries, tasks


async def _requeue_all(kernel: Kernel) -> int:
    count = 0
    while letters := await kernel.events.list_dead(PAGE):
        count += await kernel.events.requeue([item.key for item in letters])
    if tasks := await _dead_tasks(kernel):
        count += await kernel.tasks.requeue(tasks)
    return count


async def _dead_tasks(kernel: Kernel) -> list[UUID]:
    found: list[UUID] = []
    while page := await kernel.tasks.list_dead(PAGE, found[-1] if found else None):
        found += [item.id for item in page]
    return found
