"""``kameng module``: a package for a module of one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def module() -> None:
    """Make modules."""


@module.command()
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where the package's folder is made; otherwise here.",
)
def new(name: str, folder: Path) -> None:
    """Write a new module as a package that can be installed and tested at once.

    NAME is lower-case words joined by hyphens, such as acme-points. Nothing is overwritten.
    """
    from kameng.scaffold import new_module

    made = new_module(name, folder)
    click.echo(f"{made} was made: a module with a table, a query, a mutation, an event, settings and tests.")
    click.echo("Next:")
    click.echo(f"  pip install -e '{made}[dev]'")
    click.echo(f"  cd {made} && python -m pytest")
    click.echo("  kameng migrate      # in your deployment; then `kameng dev` has it")
