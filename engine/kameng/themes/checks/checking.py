"""All checks of a theme."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kameng.themes.checks.documents import document_findings
from kameng.themes.checks.markup import markup_findings
from kameng.themes.checks.templates import read_templates, template_findings
from kameng.themes.checks.translations import translation_findings
from kameng.themes.checks.weight import weight_findings
from kameng.themes.discovery import Installed, read_layer
from kameng.themes.errors import ThemeError, ThemeFaulty
from kameng.themes.finding import Finding, Level, error
from kameng.themes.loaded import build_theme
from kameng.themes.manifest import FILE_NAME
from kameng.themes.themes import theme_folders, time_zone

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_ORDER = {Level.ERROR: 0, Level.WARNING: 1, Level.ADVICE: 2}


def check_theme(theme: str | Path, kernel: Kernel) -> list[Finding]:
    """Everything that can be found out about a theme without showing it; the worst first.

    A theme with an error among its findings cannot be used. Of its parents only errors are told: their authors have the rest.

    Args:
        theme: the name of an installed theme, or a theme folder.
        kernel: for the schemas, and for the modules that fill slots. It need not have been entered.
    """
    shown = str(theme)
    try:
        folders = [*theme_folders(kernel), *([theme.parent] if isinstance(theme, Path) else [])]
        installed = Installed([folder for folder in folders if folder.is_dir()])
        layers = installed.chain(read_layer(theme) if isinstance(theme, Path) else theme)
    except ThemeFaulty as fault:
        return list(fault.findings)
    except ThemeError as fault:
        return [error(f"{shown}/{FILE_NAME}", 0, fault.message, fault.cure)]
    loaded, findings = build_theme(layers, kernel.schemas, kernel.modules, time_zone(kernel.settings))
    templates = read_templates(loaded)
    schema = kernel.schemas[loaded.merged.schema]._schema
    found = {
        *findings,
        *template_findings(loaded, templates),
        *markup_findings(templates),
        *document_findings(loaded, schema),
        *translation_findings(loaded, templates),
        *weight_findings(loaded, templates),
    }
    return sorted(
        _told(found, loaded.name), key=lambda item: (_ORDER[item.level], item.file, item.line, item.message)
    )


def _told(findings: Iterable[Finding], name: str) -> list[Finding]:
    own = (f"{name}/", "module ")
    return [item for item in findings if item.level is Level.ERROR or item.file.startswith(own)]
