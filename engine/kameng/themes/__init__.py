"""Themes: layers of templates, documents and assets that turn the GraphQL schemas into pages."""

from kameng.themes.checks import check_theme
from kameng.themes.discovery import ENTRY_POINT_GROUP, Installed
from kameng.themes.errors import (
    TemplateRefused,
    ThemeCycle,
    ThemeError,
    ThemeFaulty,
    ThemeNotFound,
    UnknownName,
)
from kameng.themes.finding import Finding, Level
from kameng.themes.loaded import LoadedTheme
from kameng.themes.scaffold import new_theme
from kameng.themes.themes import Themes, load_themes, theme_handlers

__all__ = [
    "ENTRY_POINT_GROUP",
    "Finding",
    "Installed",
    "Level",
    "LoadedTheme",
    "TemplateRefused",
    "ThemeCycle",
    "ThemeError",
    "ThemeFaulty",
    "ThemeNotFound",
    "Themes",
    "UnknownName",
    "check_theme",
    "load_themes",
    "new_theme",
    "theme_handlers",
]
