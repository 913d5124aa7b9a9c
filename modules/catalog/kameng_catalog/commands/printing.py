"""What an import shows in the terminal: a bar while it reads, then faults and a summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from kameng_catalog.importing.faults import Fault, Faults, write_faults

if TYPE_CHECKING:
    from kameng_catalog.importing.rows import Sheet

SHOWN = 50
"""Faults or changes that the terminal shows; a file for the errors holds all of them."""


@contextmanager
def bar(title: str) -> Iterator[Callable[[Sheet], None]]:
    """A progress bar on standard error while the block runs; nothing where nobody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def advance(sheet: Sheet) -> None:
            progress.update(task, completed=sheet.done, total=sheet.total or None)

        yield advance


@contextmanager
def counter(title: str) -> Iterator[Callable[[int], None]]:
    """The number of rows on standard error while the block runs; nothing where nobody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,} rows"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda rows: progress.update(task, completed=rows)


def show_faults(faults: Sequence[Fault], count: int, errors: Path | None) -> None:
    """Show faults, and write all that were kept to a file if one is named."""
    if errors is not None:
        write_faults(errors, faults)
    if faults:
        rows = [(str(fault.line), fault.column, fault.reason) for fault in faults[:SHOWN]]
        _print_table(("line", "column", "reason"), rows)
    if count > SHOWN:
        more = f"… and {count - SHOWN} more"
        click.echo(f"{more}; all stand in {errors}." if errors else f"{more}; --errors FILE.csv writes all.")
    elif errors is not None:
        click.echo(f"The faults stand in {errors}.")


def show_changes(rows: Sequence[tuple[str, str, str]]) -> None:
    """Show what becomes of lines: SKU, outcome, fields."""
    if rows:
        _print_table(("sku", "outcome", "changes"), rows[:SHOWN])
    if len(rows) > SHOWN:
        click.echo(f"… and {len(rows) - SHOWN} more")


def counted(number: int, thing: str) -> str:
    """A number of things, such as ``1 card`` and ``2 cards``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def refusal_of(faults: Faults, sound: int) -> str:
    """The sentence that tells why nothing was written."""
    lines = f"{counted(faults.lines, 'line')} {'is' if faults.lines == 1 else 'are'} faulty"
    kept = f", or take the {sound} sound ones by --keep-good" if sound else ""
    return f"{lines}; nothing was written. Mend them{kept}."


def _print_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", justify="right" if name == "line" else "left")
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, highlight=False, emoji=False)
    # A pipe has no width: there each row stays on one line.
    console.print(table, soft_wrap=True) if console.is_terminal else _print_plain(names, rows)


def _print_plain(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for row in (names, *rows):
        click.echo("\t".join(row))
