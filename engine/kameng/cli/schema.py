"""``kameng schema``: the composed schemas as SDL."""

from __future__ import annotations

from pathlib import Path

import click

from kameng.cli.running import settings_of


@click.command()
@click.argument("name", type=click.Choice(["shop", "admin"]))
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.pass_context
def schema(context: click.Context, name: str, output: Path | None) -> None:
    """Print the composed schema NAME as SDL: what a front end's code generator reads. Needs no database."""
    from kameng.graphql import compose_schema
    from kameng.loader import load_modules

    modules = load_modules(settings_of(context))
    sdl = compose_schema("shop" if name == "shop" else "admin", modules).as_str() + "\n"
    if output:
        output.write_text(sdl, "utf-8")
        click.echo(f"Written to {output}.")
    else:
        click.echo(sdl, nl=False)
