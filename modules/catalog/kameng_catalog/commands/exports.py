"""``kameng export``: products, prices and lists of cards to files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_catalog.exporting.exports import Exported, Progress

FORMATS = ("csv", "csv-gb18030", "xlsx")

_Option = Callable[[Callable[..., Any]], Callable[..., Any]]

_FILE: _Option = click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
_FORMAT: _Option = click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="Of the file; by its ending if it is left out: .xlsx, everything else CSV in UTF-8.",
)
_FILTERS: tuple[_Option, ...] = (
    click.option("--category", default="", metavar="PATH", help="Only of this category and those below it."),
    click.option("--tag", default="", help="Only with this tag."),
    click.option("--sku-prefix", default="", help="Only variants whose SKU begins so."),
)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((_FILE, _FORMAT, *_FILTERS)):
        command = option(command)
    return command


@click.command(name="products")
@_options
@click.pass_context
def products(
    context: click.Context, file: Path, kind: str | None, category: str, tag: str, sku_prefix: str
) -> None:
    """Write products, variants, categories and retail prices to a file that imports to the same."""
    from kameng_catalog.bulk.filters import BulkFilter
    from kameng_catalog.exporting.exports import export_products

    wanted = BulkFilter(category=category, tag=tag, sku_prefix=sku_prefix)
    _export(
        context, file, kind, lambda kernel, form, progress: export_products(kernel, wanted, form, progress)
    )


@click.command(name="prices")
@_options
@click.pass_context
def prices(
    context: click.Context, file: Path, kind: str | None, category: str, tag: str, sku_prefix: str
) -> None:
    """Write all prices to a file that imports to the same."""
    from kameng_catalog.bulk.filters import BulkFilter
    from kameng_catalog.exporting.exports import export_prices

    wanted = BulkFilter(category=category, tag=tag, sku_prefix=sku_prefix)
    _export(context, file, kind, lambda kernel, form, progress: export_prices(kernel, wanted, form, progress))


@click.command(name="cards")
@_FILE
@_FORMAT
@click.option("--sku", default="", help="Only cards of this variant.")
@click.option(
    "--state",
    default="",
    type=click.Choice(("", "free", "reserved", "quarantined", "sold", "withdrawn")),
    help="Only cards that are there.",
)
@click.pass_context
def cards(context: click.Context, file: Path, kind: str | None, sku: str, state: str) -> None:
    """Write a list of cards to a file, without their secrets."""
    from kameng_catalog.exporting.card_export import CardFilter
    from kameng_catalog.exporting.exports import export_cards

    wanted = CardFilter(sku=sku, state=state)
    _export(context, file, kind, lambda kernel, form, progress: export_cards(kernel, wanted, form, progress))


def _export(
    context: click.Context,
    file: Path,
    kind: str | None,
    export: Callable[[Kernel, Any, Progress], Awaitable[Exported]],
) -> None:
    import shutil
    from contextlib import closing

    from kameng.cli.running import run
    from kameng_catalog.commands.printing import counted, counter
    from kameng_catalog.exporting.writers import TableFormat

    form = TableFormat(kind or ("xlsx" if file.suffix.lower() == ".xlsx" else "csv"))

    async def work(kernel: Kernel) -> Exported:
        with counter(f"Writing {file.name}") as progress:
            return await export(kernel, form, progress)

    exported = run(context, work)
    # Only now: what stood there before stays if the export fails.
    with closing(exported.content), file.open("wb") as target:
        shutil.copyfileobj(exported.content, target)
    click.echo(f"{counted(exported.rows, 'row')} written to {file}.")
    if exported.left_out:
        few = ", ".join(exported.left_out[:10])
        more = "" if len(exported.left_out) <= 10 else f" and {len(exported.left_out) - 10} more"
        click.echo(
            f"Without a retail price, and so not in the file: {few}{more}; `kameng export prices` has their prices.",
            err=True,
        )
