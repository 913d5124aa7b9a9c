"""Translations: Babel catalogues of a theme's layers and of modules, compiled in memory. Message ids are English."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from gettext import GNUTranslations, NullTranslations
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import PoFileError, read_po

from kameng.graphql.context import LOCALES
from kameng.module import Module
from kameng.themes.discovery import Layer
from kameng.themes.finding import Finding, error
from kameng.themes.locales import babel_locale

FOLDER = "locale"

ERROR_CONTEXT = "error"
"""The context of a theme's own texts for errors of payloads; their message ids are the errors' codes."""


def catalogue_stem(locale: str) -> str:
    """A language's catalogue below the folder of catalogues, as Babel's own tools have it; without suffix."""
    parsed = babel_locale(locale)
    return f"{'_'.join(filter(None, (parsed.language, parsed.territory)))}/LC_MESSAGES/messages"


def read_catalogue(folder: Path, locale: str) -> Catalog | None:
    """A language's catalogue, from its ``.po`` or else its ``.mo`` file; None where there is neither.

    Args:
        folder: the folder of catalogues.
        locale: one of the product's.

    Raises:
        PoFileError: it is malformed.
    """
    source = folder / f"{catalogue_stem(locale)}.po"
    if source.is_file():
        with source.open("rb") as stream:
            return read_po(stream, locale=babel_locale(locale), abort_invalid=True)
    compiled = folder / f"{catalogue_stem(locale)}.mo"
    if compiled.is_file():
        with compiled.open("rb") as stream:
            return read_mo(stream)
    return None


class Catalogues:
    """A theme's translations in all languages.

    Args:
        layers: nearest first; a nearer translation goes before a farther one.
        modules: theirs come last.
    """

    def __init__(self, layers: Sequence[Layer], modules: Iterable[Module] = ()) -> None:
        self.findings: list[Finding] = []
        sources = [(f"{layer.name}/{FOLDER}", layer.folder / FOLDER) for layer in layers]
        sources += [
            (f"module {module.name}/{folder.name}", folder)
            for module in modules
            if module.locale and (folder := module_folder(module.locale))
        ]
        self._translations = {locale: self._chain(sources, locale) for locale in LOCALES}

    def _chain(self, sources: Sequence[tuple[str, Path]], locale: str) -> NullTranslations:
        top: NullTranslations | None = None
        for name, folder in sources:
            read = self._read(name, folder, locale)
            if read is None:
                continue
            if top is None:
                top = read
            else:
                top.add_fallback(read)
        return top or NullTranslations()

    def _read(self, name: str, folder: Path, locale: str) -> GNUTranslations | None:
        try:
            catalogue = read_catalogue(folder, locale)
        except (PoFileError, OSError) as fault:
            shown = f"{name}/{catalogue_stem(locale)}.po"
            self.findings.append(
                error(shown, getattr(fault, "lineno", 0), f"{fault}.", "Mend the catalogue.")
            )
            return None
        if catalogue is None:
            return None
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        return GNUTranslations(compiled)

    def of(self, locale: str) -> NullTranslations:
        """The translations into a language."""
        return self._translations[locale]


def module_folder(reference: str) -> Path | None:
    """The folder of a module's catalogues, written as ``package:folder``; None where there is no such package."""
    package, _, folder = reference.partition(":")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / folder
