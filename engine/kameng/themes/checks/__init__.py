"""Checks of themes: everything that is wrong, doubtful or could be better, together."""

from kameng.themes.checks.checking import check_theme

__all__ = ["check_theme"]
