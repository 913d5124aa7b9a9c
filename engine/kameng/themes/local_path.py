"""Paths within this site: told apart from everything that could lead a browser elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_MAX_LENGTH = 2_000
# Browsers drop tabs and line breaks from an address and read a backslash as a slash; neither belongs into a path.
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


def is_local_path(text: str) -> bool:
    """Whether a text is a path, with or without a query, that stays on this site whatever a browser makes of it."""
    if not text.startswith("/") or text.startswith("//") or len(text) > _MAX_LENGTH or _UNSAFE.search(text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def local_path(text: str | None) -> str | None:
    """The text itself if it is a local path, else None."""
    return text if text and is_local_path(text) else None
