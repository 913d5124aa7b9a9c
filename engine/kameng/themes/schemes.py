"""Whether a page is shown light or dark: as the browser likes it, unless somebody chose."""

from __future__ import annotations

from collections.abc import Mapping

COOKIE = "kameng_scheme"
"""The cookie that remembers a choice; it holds no more than one of `SCHEMES`."""

PARAMETER = "scheme"
"""The query parameter that makes one."""

SCHEMES = ("light", "dark")
AUTOMATIC = "auto"
"""The choice that takes a choice back."""


def chosen_scheme(query: Mapping[str, str], cookies: Mapping[str, str]) -> str:
    """One of `SCHEMES`, by ``?scheme=``, else by cookie; empty: as the browser likes it."""
    asked = query.get(PARAMETER)
    if asked not in (*SCHEMES, AUTOMATIC):
        asked = cookies.get(COOKIE)
    return asked if asked in SCHEMES else ""
