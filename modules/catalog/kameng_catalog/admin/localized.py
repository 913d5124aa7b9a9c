"""Texts in the languages that they have."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry


@strawberry.type(description="A text in one language.")
class LocalizedText:
    """A text in one language."""

    locale: str
    text: str


def localized(texts: Mapping[str, str]) -> list[LocalizedText]:
    """Stored texts as the back office shows them."""
    return [LocalizedText(locale=locale, text=text) for locale, text in texts.items()]
