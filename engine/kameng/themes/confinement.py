"""What a confined theme may not bring, whatever its templates would make of it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from jinja2 import TemplateSyntaxError, nodes

from kameng.themes.discovery import BASE_NAME
from kameng.themes.environment import FOLDER, SEPARATOR
from kameng.themes.finding import Finding, error
from kameng.themes.loaded import LoadedTheme
from kameng.themes.manifest import FILE_NAME

_KEYS = ("forms", "documents", "login", "layout_document", "slots", "kind", "schema")
_SUFFIXES = frozenset((".css", ".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".woff", ".woff2"))
_SCRIPT = re.compile(r"<\s*(script|iframe|object|embed|base|meta|link)\b", re.IGNORECASE)
_NAMES = frozenset(("nonce", "csrf", "idempotency_key", "form", "form_url", "document", "tokens_style"))


def confinement_findings(theme: LoadedTheme) -> list[Finding]:
    """What keeps a theme from being confined. Its templates are parsed for that, but neither compiled nor rendered."""
    return [*_manifest(theme), *_assets(theme), *_templates(theme)]


def _manifest(theme: LoadedTheme) -> Iterator[Finding]:
    layer = theme.merged.layers[0]
    shown = layer.shown(FILE_NAME)
    if theme.merged.layers[1].name == BASE_NAME:
        yield error(
            shown, 0, "A confined theme has a parent, which shows what goes wrong.", "Name it in `parent`."
        )
    for key in _KEYS:
        if getattr(layer.manifest, key):
            yield error(shown, 0, f"A confined theme has no `{key}` of its own.", "Take it out.")
    for name, page in layer.manifest.pages.items():
        if page and any(key in page for key in ("requires", "permission", "private")):
            yield error(
                shown,
                0,
                f"A confined theme does not say who may see {name}.",
                "Take it out; the parent does.",
            )


def _assets(theme: LoadedTheme) -> Iterator[Finding]:
    layer = theme.merged.layers[0]
    root = layer.folder / "assets"
    for file in sorted(root.rglob("*")):
        if file.is_file() and posixpath.splitext(file.name)[1].lower() not in _SUFFIXES:
            shown = layer.shown(f"assets/{file.relative_to(root).as_posix()}")
            yield error(
                shown,
                0,
                "A confined theme brings styles, pictures and fonts, and nothing else.",
                "Take it out.",
            )


def _templates(theme: LoadedTheme) -> Iterator[Finding]:
    environment = theme.environment
    for name in environment.layer_loader.all_names():
        layer, _, path = name.partition(SEPARATOR)
        if layer != theme.name:
            continue
        shown = f"{layer}/{FOLDER}/{path}"
        try:
            source, _, _ = environment.layer_loader.get_source(environment, name)
            tree = environment.parse(source, name)
        except TemplateSyntaxError as fault:
            yield error(shown, fault.lineno, fault.message or "It is no template.", "Mend it there.")
            continue
        except UnicodeDecodeError:
            yield error(shown, 0, "It is no UTF-8.", "Save it as UTF-8.")
            continue
        except RecursionError:
            yield error(shown, 0, "It is nested too deeply.", "Write it in several templates.")
            continue
        for text in tree.find_all(nodes.TemplateData):
            if found := _SCRIPT.search(text.data):
                yield error(
                    shown, text.lineno, f"A confined theme writes no <{found[1].lower()}>.", "Take it out."
                )
        for variable in tree.find_all(nodes.Name):
            if variable.name in _NAMES:
                message = f"A confined theme does not use {variable.name!r}."
                yield error(shown, variable.lineno, message, "Take it out; the parent's templates do that.")
