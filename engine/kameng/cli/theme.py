"""``kameng theme``: a new theme, and everything that is wrong with one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from kameng.cli.running import settings_of

_COLOURS = {"error": "red", "warning": "yellow", "advice": "cyan"}


@click.group()
def theme() -> None:
    """Make themes, and check them."""


@theme.command()
@click.argument("name")
@click.option("--parent", default="storefront", show_default=True, help="The theme that it is laid over.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where the package's folder is made; otherwise here.",
)
@click.pass_context
def new(context: click.Context, name: str, parent: str, folder: Path) -> None:
    """Write a new theme as a package: NAME in lower-case letters, digits and hyphens."""
    from kameng.settings import ThemesSettings
    from kameng.themes import Installed, new_theme

    settings = settings_of(context)
    known = settings.section("themes", ThemesSettings)
    folders = [found for entry in known.folders if (found := settings.root / entry).is_dir()]
    made = new_theme(name, folder, parent, Installed(folders))
    click.echo(f"{made} was made: a theme laid over {parent}.")
    click.echo(
        f"Try it: pip install -e {made}, then `kameng theme check {name}`; its README.md tells the rest."
    )


@theme.command()
@click.argument("theme", metavar="NAME_OR_FOLDER")
@click.pass_context
def check(context: click.Context, theme: str) -> None:
    """Check a theme: its manifest, documents, templates, contrast, translations and weight.

    NAME_OR_FOLDER is an installed theme or a folder with a theme.json. Needs no database. Exit code 1 if the theme
    cannot be used.
    """
    from kameng.kernel import Kernel
    from kameng.themes import check_theme

    findings = check_theme(_theme_of(theme), Kernel(settings_of(context)))
    for finding in findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        level = click.style(finding.level.value, fg=_COLOURS[finding.level.value], bold=True)
        click.echo(f"{level}  {place}: {finding.message} {finding.cure}".rstrip())
    counts = Counter(finding.level.value for finding in findings)
    told = ", ".join(f"{counts[level]} of level {level}" for level in _COLOURS if counts[level])
    click.echo(f"{len(findings)} findings: {told}." if findings else "Nothing is wrong with it.")
    context.exit(1 if counts["error"] else 0)


@theme.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def install(context: click.Context, file: Path) -> None:
    """Check a theme of somebody else's in a ZIP file, and keep it.

    Its templates are confined: rendered by child processes with little time and memory, without scripts and forms of their own.
    Needs no database. Exit code 1 if it cannot be used.
    """
    from kameng.kernel import Kernel
    from kameng.themes.archive import install_archive

    name, findings = install_archive(Kernel(settings_of(context)), file)
    for finding in findings:
        click.echo(f"{finding.level.value}  {finding.file}: {finding.message}")
    click.echo(f'{name} is kept. Show it by storefront = "{name}" in [themes], or choose it for a site.')


@theme.command()
@click.argument("name")
@click.pass_context
def remove(context: click.Context, name: str) -> None:
    """Take a theme away that came from a ZIP file."""
    from kameng.kernel import Kernel
    from kameng.themes.archive import remove_uploaded

    if not remove_uploaded(Kernel(settings_of(context)), name):
        raise click.ClickException(f"No theme {name!r} came from an archive.")
    click.echo(f"{name} is gone.")


def _theme_of(text: str) -> str | Path:
    """A name, or the folder that holds the manifest: given itself, or as the package around it."""
    folder = Path(text)
    found = (
        [folder]
        if (folder / "theme.json").is_file()
        else [item.parent for item in folder.glob("*/theme.json")]
    )
    return found[0].resolve() if len(found) == 1 else text
