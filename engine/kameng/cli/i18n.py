"""``kameng i18n``: whether everything that people are shown is there in each language."""

from __future__ import annotations

import click

from kameng.cli.running import settings_of


@click.group()
def i18n() -> None:
    """Look after translations."""


@i18n.command()
@click.option("--strict", is_flag=True, help="Fail for translations that nothing uses as well.")
@click.pass_context
def check(context: click.Context, strict: bool) -> None:
    """See that every text of the themes and modules of this deployment is there in Chinese and English.

    Told are texts without a translation, translations whose places to fill are others, and those that nothing uses. Needs no
    database. Exit code 1 for the first two, with --strict for all.
    """
    from kameng.kernel import Kernel
    from kameng.themes import Level, load_themes
    from kameng.themes.checks.i18n import i18n_findings

    kernel = Kernel(settings_of(context))
    themes = load_themes(kernel)
    findings = i18n_findings(kernel, [themes.active(kind) for kind in themes.kinds])
    for finding in findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        click.echo(f"{place}: {finding.message} {finding.cure}".rstrip())
    faults = [finding for finding in findings if strict or finding.level is not Level.ADVICE]
    left = len(findings) - len(faults)
    told = f"{len(faults)} texts are not in order." if faults else "Every text is there in each language."
    click.echo(f"{told} {left} translations are used by nothing." if left else told)
    context.exit(1 if faults else 0)
