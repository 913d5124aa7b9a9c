"""Paths of pages: patterns, matching, and writing addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SEGMENT = re.compile(r"[^{}?#\s\\]+")


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A path such as ``/products/{slug}``; each parameter is one whole segment.

    Attributes:
        text: as it was written.
        parameters: names, in order.
    """

    text: str
    parameters: tuple[str, ...]
    regex: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> PathPattern:
        """Read a pattern.

        Raises:
            ValueError: it is none; the message says why.
        """
        if not text.startswith("/") or "//" in text:
            raise ValueError("a path begins with one slash and has no empty segment")
        parameters, pieces = [], []
        for segment in text.strip("/").split("/") if text != "/" else []:
            if found := _PARAMETER.fullmatch(segment):
                parameters.append(found[1])
                pieces.append(f"(?P<{found[1]}>[^/]+)")
            elif _SEGMENT.fullmatch(segment):
                pieces.append(re.escape(segment))
            else:
                raise ValueError(f"{segment!r} is neither a plain segment nor one {{parameter}}")
        if len(set(parameters)) < len(parameters):
            raise ValueError("a parameter is named twice")
        return cls(text, tuple(parameters), re.compile("/" + "/".join(pieces)))

    def fill(self, values: Mapping[str, Any]) -> str:
        """The path with its parameters filled.

        Raises:
            KeyError: one of them is missing.
        """
        return _PARAMETER.sub(lambda found: quote(str(values[found[1]]), safe=""), self.text)

    @property
    def shape(self) -> str:
        """The pattern with its parameters' names taken out: two pages of one shape cannot be told apart."""
        return _PARAMETER.sub("{}", self.text)


class RouteMap:
    """Which page answers a path.

    Args:
        patterns: pairs of page name and pattern. Literal segments go before parameters, left to right.
    """

    def __init__(self, patterns: Iterable[tuple[str, PathPattern]]) -> None:
        ordered = sorted(
            patterns, key=lambda item: [segment.startswith("{") for segment in item[1].text.split("/")]
        )
        self._plain = {pattern.text: name for name, pattern in ordered if not pattern.parameters}
        self._others = [(pattern.regex, name) for name, pattern in ordered if pattern.parameters]

    def match(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The page and the values of its parameters."""
        if name := self._plain.get(path):
            return name, {}
        for regex, name in self._others:
            if found := regex.fullmatch(path):
                return name, found.groupdict()
        return None


def with_query(path: str, values: Iterable[tuple[str, Any]]) -> str:
    """A path with a query of those values that are not None; lists give one pair for each item."""
    pairs = [
        (name, _text(item))
        for name, value in values
        if value is not None
        for item in (value if isinstance(value, list | tuple) else (value,))
    ]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
