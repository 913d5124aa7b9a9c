"""Options that all imports have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    click.option("--keep-good", is_flag=True, help="Take the sound lines although others are faulty."),
    click.option("--dry-run", is_flag=True, help="Tell what would be done, and write nothing."),
    click.option(
        "--errors",
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        help="Write all faults to this CSV file.",
    ),
    click.option("--encoding", help="The encoding of a CSV file; otherwise UTF-8 and GB18030 are tried."),
)


def import_options(command: F) -> F:
    """Give a command the argument and options that all imports have."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
