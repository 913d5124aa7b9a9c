"""Texts with places that are filled from an answer: titles, and where a form leads to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)\}")


def look_up(data: Any, path: str) -> Any:
    """The value at a dotted path in an answer; None where there is none."""
    for step in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def places(pattern: str) -> list[str]:
    """The dotted paths that a pattern asks for."""
    return _PLACE.findall(pattern)


def filled(pattern: str, data: Any, write: Callable[[Any], str]) -> str | None:
    """The pattern with each ``{dotted.path}`` replaced; None where a value is missing or no plain one."""
    values = {path: look_up(data, path) for path in places(pattern)}
    if any(value is None or isinstance(value, Mapping | list) for value in values.values()):
        return None
    return _PLACE.sub(lambda found: write(values[found[1]]), pattern)
