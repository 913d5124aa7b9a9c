"""What goes wrong with themes, as errors.

KamengError
└── ThemeError              everything about themes
    ├── ThemeNotFound       a theme is named that is not installed; also a mistyped parent
    ├── ThemeCycle          themes are each other's parents
    ├── ThemeFaulty         a theme has findings that keep it from being used
    ├── TemplateRefused     a template's name reaches where it must not, or leads nowhere
    └── UnknownName         a template asks for a page, form, asset, slot or token that does not exist
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kameng.errors import KamengError

if TYPE_CHECKING:
    from kameng.themes.finding import Finding


class ThemeError(KamengError):
    """Something is wrong with a theme."""

    code = "THEME_ERROR"


class ThemeNotFound(ThemeError):
    """A theme is named that is not installed."""

    code = "THEME_NOT_FOUND"


class ThemeCycle(ThemeError):
    """Themes are each other's parents."""

    code = "THEME_CYCLE"


class ThemeFaulty(ThemeError):
    """A theme has findings that keep it from being used.

    Attributes:
        findings: all of them, together.
    """

    code = "THEME_FAULTY"

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        listed = "\n".join(f"  {finding}" for finding in self.findings)
        super().__init__(f"The theme {name} cannot be used:\n{listed}")


class TemplateRefused(ThemeError):
    """A template's name reaches where it must not, or leads nowhere."""

    code = "TEMPLATE_REFUSED"


class UnknownName(ThemeError):
    """A template asks for a page, form, asset, slot or token that does not exist."""

    code = "THEME_NAME_UNKNOWN"
