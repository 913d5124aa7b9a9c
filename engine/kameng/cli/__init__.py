"""The command ``kameng``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from kameng.cli.group import KamengGroup
from kameng.errors import KamengError
from kameng.settings import read_settings
from kameng.version import VERSION


@click.group(cls=KamengGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="kameng")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The settings file; otherwise KAMENG_CONFIG, or kameng.toml in this folder.",
)
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Kameng, the commerce engine for digital goods.

    `kameng dev` starts everything on this machine; `kameng serve` and `kameng worker` are what production runs.
    """
    context.obj = context.with_resource(_Lazy(config))


class _Lazy:
    """The settings, read when a command asks for them: ``--help`` needs none."""

    def __init__(self, config: Path | None) -> None:
        self._config = config

    def __enter__(self) -> _Lazy:
        return self

    def __exit__(self, *_error: object) -> None:
        return

    def read(self) -> object:
        return read_settings(self._config)


def main() -> None:
    """Run the command line; errors of ours end in one message and exit code 1, without a traceback."""
    try:
        # Outside standalone mode click returns the code that a command ended with.
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except KamengError as error:
        if os.environ.get("KAMENG_DEBUG"):
            raise
        click.secho(f"Error: {error.message}", fg="red", err=True)
        if error.cure:
            click.echo(f"Cure: {error.cure}", err=True)
        sys.exit(1)
