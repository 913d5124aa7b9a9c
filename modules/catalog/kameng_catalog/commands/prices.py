"""``kameng import prices``."""

from __future__ import annotations

from pathlib import Path

import click

from kameng_catalog.commands.by_line import import_by_line
from kameng_catalog.commands.options import import_options


@click.command(name="prices")
@import_options
@click.pass_context
def prices(
    context: click.Context,
    file: Path,
    keep_good: bool,
    dry_run: bool,
    errors: Path | None,
    encoding: str | None,
) -> None:
    """Set prices of any tier, quantity, site and period by a CSV or XLSX file.

    All of the file is taken, or nothing; prices that it does not name stay. Exits with 1 if lines are faulty.
    """
    # Imported when it is needed: every command of every module is known to each start of the program.
    from kameng_catalog.importing.price_import import import_prices
    from kameng_catalog.importing.price_lines import COLUMNS

    import_by_line(
        context,
        file,
        COLUMNS,
        import_prices,
        "price",
        keep_good=keep_good,
        dry_run=dry_run,
        errors=errors,
        encoding=encoding,
    )
