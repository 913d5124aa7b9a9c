"""``kameng import products``."""

from __future__ import annotations

from pathlib import Path

import click

from kameng_catalog.commands.by_line import import_by_line
from kameng_catalog.commands.options import import_options


@click.command(name="products")
@import_options
@click.pass_context
def products(
    context: click.Context,
    file: Path,
    keep_good: bool,
    dry_run: bool,
    errors: Path | None,
    encoding: str | None,
) -> None:
    """Create and change products, variants, categories and retail prices by a CSV or XLSX file.

    All of the file is taken, or nothing. Exits with 1 if lines are faulty.
    """
    # Imported when it is needed: every command of every module is known to each start of the program.
    from kameng_catalog.importing.product_import import import_products
    from kameng_catalog.importing.product_lines import COLUMNS

    import_by_line(
        context,
        file,
        COLUMNS,
        import_products,
        "variant",
        keep_good=keep_good,
        dry_run=dry_run,
        errors=errors,
        encoding=encoding,
    )
