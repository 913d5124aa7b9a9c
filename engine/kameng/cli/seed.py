"""``kameng seed``: fill an empty shop with demo data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kameng.cli.running import run
from kameng.errors import BootError

if TYPE_CHECKING:
    from kameng.kernel import Kernel

DEMO_DATA = Path("examples/data")


def check_folder(folder: Path) -> None:
    """See that there is a folder of demo data.

    Raises:
        BootError: there is none.
    """
    if not folder.is_dir():
        raise BootError(
            f"There is no demo data in {folder}.",
            cure="Name its folder with --data, or import your own files.",
        )


async def seed_all(kernel: Kernel, folder: Path) -> list[str]:
    """Let each module seed itself; returns a line of what each did."""
    return [line for module in kernel.modules if module.seed and (line := await module.seed(kernel, folder))]


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEMO_DATA,
    help="The folder of the demo data.",
)
@click.pass_context
def seed(context: click.Context, data: Path) -> None:
    """Fill an empty shop with the demo data; does nothing where there is data already."""

    check_folder(data)

    async def work(kernel: Kernel) -> list[str]:
        return await seed_all(kernel, data)

    lines = run(context, work)
    for line in lines:
        click.echo(line)
    if not lines:
        click.echo("Nothing to do: the shop has data.")
