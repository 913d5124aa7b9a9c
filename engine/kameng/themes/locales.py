"""Which language a request is answered in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from babel import Locale

from kameng.graphql.context import LOCALES

COOKIE = "kameng_locale"
"""The cookie that remembers a choice; it holds no more than one of `LOCALES`."""

PARAMETER = "lang"
"""The query parameter that makes one."""


def negotiate(query: Mapping[str, str], cookies: Mapping[str, str], accept: str) -> str:
    """One of `LOCALES`: by ``?lang=``, else by cookie, else by ``Accept-Language``, else the first."""
    for asked in (query.get(PARAMETER), cookies.get(COOKIE)):
        if asked and (known := known_locale(asked)):
            return known
    for tag in _preferred(accept):
        if known := known_locale(tag):
            return known
    return LOCALES[0]


def known_locale(tag: str) -> str | None:
    """The locale of ours that a language tag means: ``zh``, ``zh-Hans`` and ``zh-TW`` all mean ``zh-CN``."""
    language = tag.strip().lower().replace("_", "-").split("-")[0]
    return next((locale for locale in LOCALES if locale.lower().split("-")[0] == language), None)


def _preferred(accept: str) -> list[str]:
    weighted = []
    for part in accept[:500].split(","):
        tag, _, rest = part.strip().partition(";")
        name, _, value = rest.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0
        if tag and weight > 0:
            weighted.append((weight, tag))
    return [tag for _, tag in sorted(weighted, key=lambda item: -item[0])]


@cache
def babel_locale(locale: str) -> Locale:
    """Babel's locale of one of ours."""
    return Locale.parse(locale, sep="-")
