"""Whether everything that people are shown is there in each language of the product: texts of themes and of modules.

Message ids are English, so English needs no catalogue but for what is told by code, the context ``error``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError
from jinja2 import TemplateSyntaxError
from jinja2.ext import extract_from_ast

from kameng.graphql.context import LOCALES
from kameng.module import JobKind, Module, NotificationKind, Permission
from kameng.themes.catalogues import ERROR_CONTEXT, catalogue_stem, module_folder, read_catalogue
from kameng.themes.checks.templates import read_templates
from kameng.themes.checks.translations import (
    FUNCTIONS,
    Message,
    forms_of,
    message_of,
    places_in,
    translation_findings,
)
from kameng.themes.environment import ThemeEnvironment
from kameng.themes.finding import Finding, advice, error
from kameng.themes.slots import ModuleTemplate, find_template

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.themes.discovery import Layer
    from kameng.themes.loaded import LoadedTheme

_SOURCE = "en"


def i18n_findings(kernel: Kernel, themes: Iterable[LoadedTheme]) -> list[Finding]:
    """Everything that is wrong with the texts of a deployment.

    Args:
        kernel: composed; it need not run.
        themes: those that it shows.
    """
    found: list[Finding] = []
    for theme in themes:
        found += translation_findings(theme, read_templates(theme))
        found += _error_texts(theme.merged.layers[0])
    for module in kernel.modules:
        found += module_texts(module)
    return sorted(set(found), key=lambda item: (item.level.value != "error", item.file, item.line))


def _error_texts(layer: Layer) -> Iterator[Finding]:
    """What a theme says of an error in one language it says in all."""
    texts = {
        locale: {
            str(item.id)
            for item in _catalogue(layer.folder / "locale", locale) or ()
            if item.context == ERROR_CONTEXT and item.string
        }
        for locale in LOCALES
    }
    codes = set().union(*texts.values())
    for locale, known in texts.items():
        shown = layer.shown(f"locale/{catalogue_stem(locale)}.po")
        # An error without English words of the theme's own is told in the API's, which are English.
        for code in sorted(codes - known) if locale != _SOURCE else ():
            yield error(shown, 0, f"The error {code} has no {locale} text.", "Add it in the context `error`.")


def module_texts(module: Module) -> Iterator[Finding]:
    """What is wrong with the texts of a module: its templates, pages, navigation, and the titles that operators read."""
    yield from _titles(module)
    messages = [*_of_templates(module), *_of_declarations(module)]
    if not messages and not module.locale:
        return
    folder = module_folder(module.locale) if module.locale else None
    for locale in LOCALES:
        if locale == _SOURCE:
            continue
        catalogue = _catalogue(folder, locale) if folder else None
        shown = f"module {module.name}/{catalogue_stem(locale)}.po"
        told = set()
        for message in messages:
            translated = catalogue.get(message.text, message.context) if catalogue is not None else None
            lacking = translated is None or not all(forms_of(translated.string))
            if lacking and message.text not in told:
                told.add(message.text)
                shown_text = message.text[:60]
                cure = "Add it to the module's catalogue."
                yield error(message.file, message.line, f"{shown_text!r} has no {locale} translation.", cure)
        used = {(message.text, message.context) for message in messages}
        for item in catalogue or ():
            text = item.id if isinstance(item.id, str) else item.id[0]
            if not text:
                continue
            if any(set(places_in(text)) != set(places_in(form)) for form in forms_of(item.string) if form):
                yield error(
                    shown, item.lineno or 0, f"{text[:60]!r} has other places to fill.", "Use the same ones."
                )
            if (text, item.context) not in used and item.context != ERROR_CONTEXT:
                yield advice(shown, item.lineno or 0, f"Nothing uses {text[:60]!r}.", "Take it out.")


def _titles(module: Module) -> Iterator[Finding]:
    named: list[Permission | JobKind | NotificationKind] = [
        *module.permissions,
        *module.jobs,
        *module.notifications,
    ]
    for item in named:
        for language, title in ((_SOURCE, item.title_en), ("zh-CN", item.title_zh)):
            if not title.strip():
                kind = type(item).__name__
                yield error(
                    f"module {module.name}", 0, f"{kind} {item.name} has no {language} title.", "Give it one."
                )


def _of_declarations(module: Module) -> Iterator[Message]:
    for page in module.pages:
        if message := message_of(page.title, f"module {module.name}/page {page.name}", 0):
            yield message
    for form in module.forms:
        if message := message_of(form.flash, f"module {module.name}/form {form.name}", 0):
            yield message
    for entry in module.navigation:
        if message := message_of(entry.text, f"module {module.name}/navigation", 0):
            yield message


def _of_templates(module: Module) -> Iterator[Message]:
    environment = ThemeEnvironment([])
    files: dict[Path, str] = {}
    for template in (*(item.template for item in module.slots), *(item.template for item in module.pages)):
        found = find_template(module.name, template)
        if isinstance(found, ModuleTemplate):
            for file in sorted(found.folder.rglob("*.html")):
                files[file] = f"module {module.name}/{file.relative_to(found.folder).as_posix()}"
    for file, shown in files.items():
        try:
            tree = environment.parse(file.read_text("utf-8"))
        except (TemplateSyntaxError, UnicodeDecodeError):
            continue  # told by a check of the theme
        for line, function, given in extract_from_ast(tree, FUNCTIONS):
            yield from _messages(given, function, shown, line)


def _messages(given: object, function: str, shown: str, line: int) -> Iterator[Message]:
    parts: Sequence[str] = [part for part in (given if isinstance(given, tuple) else (given,)) if part]
    if not parts:
        return
    with_context = function in ("pgettext", "npgettext") and len(parts) > 1
    yield Message(parts[1] if with_context else parts[0], parts[0] if with_context else None, shown, line)


def _catalogue(folder: Path, locale: str) -> Catalog | None:
    try:
        return read_catalogue(folder, locale)
    except (PoFileError, OSError):
        return None  # told by a check of the theme
