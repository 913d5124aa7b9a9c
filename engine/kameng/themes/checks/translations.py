"""Checks of translations: every message of a theme has one in each language but English, in which it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError
from jinja2.ext import extract_from_ast

from kameng.graphql.context import LOCALES
from kameng.themes.catalogues import ERROR_CONTEXT, FOLDER, catalogue_stem, read_catalogue
from kameng.themes.checks.templates import TemplateText
from kameng.themes.finding import Finding, advice, warning
from kameng.themes.loaded import LoadedTheme

FUNCTIONS = ("_", "t", "gettext", "ngettext", "pgettext", "npgettext")
_SOURCE = "en"
_PLACE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.]*\}|%\([A-Za-z_]\w*\)s")


@dataclass(frozen=True, slots=True)
class Message:
    """A text to be translated.

    Attributes:
        text: the message id; of a plural form the singular.
        context: tells equal texts of different meaning apart.
        file, line: where it stands.
    """

    text: str
    context: str | None
    file: str
    line: int


def theme_messages(theme: LoadedTheme, templates: Sequence[TemplateText]) -> list[Message]:
    """The messages of a theme's own templates and of its own part of ``theme.json``."""
    found = []
    for text in templates:
        if text.own and text.tree is not None:
            for line, function, given in extract_from_ast(text.tree, FUNCTIONS):
                parts = [part for part in (given if isinstance(given, tuple) else (given,)) if part]
                if not parts:
                    continue
                with_context = function in ("pgettext", "npgettext") and len(parts) > 1
                found.append(
                    Message(
                        parts[1] if with_context else parts[0],
                        parts[0] if with_context else None,
                        text.shown,
                        line,
                    )
                )
    own = theme.merged.layers[0].manifest
    for section, key, specs in (("pages", "title", own.pages), ("forms", "flash", own.forms)):
        for name, spec in specs.items():
            told = (spec or {}).get(key)
            if isinstance(told, str) and (message := message_of(told, *theme.merged.place(section, name))):
                found.append(message)
    asked = [
        message_of(setting.get(key), *theme.merged.place("settings", name))
        for name, setting in own.settings.get("properties", {}).items()
        for key in ("title", "description")
    ]
    return [*found, *filter(None, asked)]


def translation_findings(theme: LoadedTheme, templates: Sequence[TemplateText]) -> Iterator[Finding]:
    """Messages without a translation, translations that lost a place, and those that nothing uses."""
    messages = theme_messages(theme, templates)
    for locale in LOCALES:
        if locale == _SOURCE:
            continue
        catalogues = [
            item for layer in theme.merged.layers if (item := _catalogue(layer.folder / FOLDER, locale))
        ]
        told = set()
        for message in messages:
            key = (message.text, message.context)
            if key in told or any(_translated(catalogue, message) for catalogue in catalogues):
                continue
            told.add(key)
            shown = message.text if len(message.text) <= 60 else f"{message.text[:57]}…"
            cure = f"Add it to {FOLDER}/{catalogue_stem(locale)}.po."
            yield warning(message.file, message.line, f"{shown!r} has no {locale} translation.", cure)
        yield from _own_catalogue(theme, locale, {message.text for message in messages})


def _catalogue(folder: Path, locale: str) -> Catalog | None:
    try:
        return read_catalogue(folder, locale)
    except (PoFileError, OSError):
        return None  # told by build_theme


def _translated(catalogue: Catalog, message: Message) -> bool:
    found = catalogue.get(message.text, message.context)
    return found is not None and not found.fuzzy and bool(found.string) and all(forms_of(found.string))


def message_of(text: str | None, file: str, line: int) -> Message | None:
    """A text of a declaration as a message; None where there is nothing in it to translate."""
    if text and re.search(r"[A-Za-z]", _PLACE.sub("", text)):
        return Message(text, None, file, line)
    return None


def places_in(text: str) -> list[str]:
    """The places that a text has to fill."""
    return _PLACE.findall(text)


def forms_of(string: object) -> Sequence[str]:
    return [str(item) for item in string] if isinstance(string, list | tuple) else [str(string)]


def _own_catalogue(theme: LoadedTheme, locale: str, used: set[str]) -> Iterator[Finding]:
    layer = theme.merged.layers[0]
    catalogue = _catalogue(layer.folder / FOLDER, locale)
    shown = layer.shown(f"{FOLDER}/{catalogue_stem(locale)}.po")
    for item in catalogue or ():
        text = item.id if isinstance(item.id, str) else item.id[0]
        if not text:
            continue
        line = item.lineno or 0
        for form in forms_of(item.string):
            if form and set(_PLACE.findall(text)) != set(_PLACE.findall(form)):
                message = f"The translation of {text[:60]!r} has other places to fill."
                yield warning(shown, line, message, f"Use {', '.join(_PLACE.findall(text)) or 'none'} in it.")
        if text not in used and item.context != ERROR_CONTEXT:
            yield advice(shown, line, f"Nothing uses {text[:60]!r}.", "Take it out.")
