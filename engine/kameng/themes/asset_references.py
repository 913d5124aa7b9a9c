"""References from one asset to another: ``url()`` and ``@import`` in styles, imports in ES modules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

# Comments and strings that are no references are matched first, so that what stands in them is left alone.
_CSS = re.compile(
    r"""/\*.*?\*/"""
    r"""|@import\s+(?P<iq>["'])(?P<import>[^"'\n]+)(?P=iq)"""
    r"""|url\(\s*(?P<uq>["']?)(?P<url>[^"'()\s]+)(?P=uq)\s*\)""",
    re.DOTALL,
)
_JS = re.compile(
    r"""/\*.*?\*/|(?<![:"'`])//[^\n]*"""
    r"""|(?P<head>\b(?:from|import)\s*\(?\s*|new\s+URL\(\s*)(?P<q>["'])(?P<ref>(?:\.{1,2}/|@parent/)[^"'\n]+)(?P=q)""",
    re.DOTALL,
)
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#|/", re.IGNORECASE)

PARENT = "@parent/"
"""A reference that begins so means the parent layer's asset of that path."""


def _css(found: re.Match[str]) -> tuple[str, str, str] | None:
    name = "import" if found["import"] else "url" if found["url"] else None
    if name is None or _OUTSIDE.match(found[name]):
        return None
    start, end = found.start(name) - found.start(), found.end(name) - found.start()
    return found[0][:start], found[name], found[0][end:]


def _js(found: re.Match[str]) -> tuple[str, str, str] | None:
    if not found["ref"]:
        return None
    start, end = found.start("ref") - found.start(), found.end("ref") - found.start()
    return found[0][:start], found["ref"], found[0][end:]


_KINDS: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str, str] | None]]] = {
    ".css": (_CSS, _css),
    ".js": (_JS, _js),
    ".mjs": (_JS, _js),
}


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def references(path: str, text: str) -> Iterator[tuple[str, int]]:
    """The references of an asset with the lines they stand on.

    Args:
        path: the asset's, which says what it is.
    """
    if _suffix(path) not in _KINDS:
        return
    pattern, split = _KINDS[_suffix(path)]
    for found in pattern.finditer(text):
        if parts := split(found):
            yield parts[1], text.count("\n", 0, found.start()) + 1


def rewritten(path: str, text: str, replace: Callable[[str], str]) -> str:
    """The asset's text with each reference replaced."""
    if _suffix(path) not in _KINDS:
        return text
    pattern, split = _KINDS[_suffix(path)]

    def swap(found: re.Match[str]) -> str:
        parts = split(found)
        return found[0] if parts is None else parts[0] + replace(parts[1]) + parts[2]

    return pattern.sub(swap, text)


def target(path: str, reference: str) -> tuple[str, str]:
    """The path that a reference from an asset leads to, and the query or fragment it ends in."""
    cut = min((at for at in (reference.find("?"), reference.find("#")) if at >= 0), default=len(reference))
    plain, tail = reference[:cut], reference[cut:]
    if plain.startswith(PARENT):
        return posixpath.normpath(plain.removeprefix(PARENT)), tail
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), plain)), tail
