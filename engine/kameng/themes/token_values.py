"""The types of design tokens. A value is what its type allows and nothing else, so it can be written into CSS as it is.

A theme, a reseller's form and a preview all give token values; a raw one would be CSS injection. So each type reads its values
with a grammar of its own and writes them anew; what doesn't match is refused, never escaped and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kameng.themes.colours import parse_colour

_NUMBER = r"-?(?:[0-9]{1,6}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})"
_UNITS = "px|rem|em|%|ch|ex|lh|rlh|vw|vh|vi|vb|vmin|vmax|svw|svh|lvw|lvh|dvw|dvh|cqi|cqw|pt|mm|cm|in"
_LENGTH = rf"(?:{_NUMBER}(?:{_UNITS})|0)"
_SUM = rf"{_LENGTH}(?: [+-] {_LENGTH}){{0,3}}"
_LENGTHS = re.compile(rf"{_LENGTH}|(?:clamp\({_SUM}, {_SUM}, {_SUM}\))|(?:(?:min|max)\({_SUM}, {_SUM}\))")
_SHADOW = re.compile(rf"(?P<lengths>(?:inset )?{_LENGTH}(?: {_LENGTH}){{1,3}}) (?P<colour>\S.*)")
_EASING = re.compile(
    rf"linear|ease|ease-in|ease-out|ease-in-out|cubic-bezier\({_NUMBER}, {_NUMBER}, {_NUMBER}, {_NUMBER}\)"
)
_FAMILY = re.compile(r"[\w][\w -]{0,60}")
_GENERIC = frozenset(
    [
        "serif",
        "sans-serif",
        "monospace",
        "cursive",
        "fantasy",
        "system-ui",
        "ui-serif",
        "ui-sans-serif",
        "ui-monospace",
        "ui-rounded",
        "math",
        "emoji",
    ]
)
_ASSET = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}")


def _colour(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and parse_colour(value) else None


def _matching(pattern: str | re.Pattern[str]) -> Callable[[Any], str | None]:
    compiled = re.compile(pattern)

    def read(value: Any) -> str | None:
        text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        return text if isinstance(text, str) and compiled.fullmatch(text) else None

    return read


def _font(value: Any) -> str | None:
    families = [part.strip().strip("'\"") for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(families, list) or not families:
        return None
    if not all(isinstance(family, str) and _FAMILY.fullmatch(family) for family in families):
        return None
    return ", ".join(family if family in _GENERIC else f'"{family}"' for family in families)


def _shadow(value: Any) -> str | None:
    if value == "none":
        return "none"
    if not isinstance(value, str):
        return None
    # A comma inside a colour's parentheses separates nothing.
    layers = re.split(r",\s*(?![^(]*\))", value)
    for layer in layers:
        found = _SHADOW.fullmatch(layer)
        if not found or _colour(found["colour"]) is None:
            return None
    return ", ".join(layers) if len(layers) <= 6 else None


TYPES: dict[str, tuple[Callable[[Any], str | None], str]] = {
    "color": (_colour, "a colour such as #0a7 or oklch(0.6 0.15 160)"),
    "length": (_matching(_LENGTHS), "a length such as 8px, 1.5rem or clamp(1rem, 1rem + 2vw, 3rem)"),
    "number": (_matching(_NUMBER), "a number such as 1.5"),
    "duration": (_matching(rf"{_NUMBER}(?:ms|s)"), "a duration such as 150ms"),
    "easing": (_matching(_EASING), "a timing function such as ease-out or cubic-bezier(0.2, 0, 0, 1)"),
    "font": (_font, 'names of font families such as "Inter, system-ui, sans-serif"'),
    "weight": (_matching(r"[1-9][0-9]{0,2}|1000|normal|bold"), "a weight from 1 to 1000"),
    "shadow": (_shadow, "a shadow such as 0 1px 2px rgb(0 0 0 / 0.2), or none"),
    "asset": (_matching(_ASSET), "the path of an asset such as img/logo.svg"),
}
"""The types by name: how a value is read (None: it is none of this type), and what it looks like."""
