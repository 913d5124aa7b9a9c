"""What themes there are for a site, and what each one lets a site change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kameng.sites.errors import ThemeUnusable
from kameng.themes.catalogues import Catalogues
from kameng.themes.checks import check_theme
from kameng.themes.discovery import Installed, Layer
from kameng.themes.errors import ThemeError
from kameng.themes.finding import Finding, errors_in
from kameng.themes.manifest import FILE_NAME
from kameng.themes.merging import default_settings, merge
from kameng.themes.themes import chosen_themes, theme_folders
from kameng.themes.tokens import Tokens

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@dataclass(frozen=True, slots=True)
class BookTheme:
    """A storefront theme, as far as a site may change it.

    Attributes:
        name, title, version: of the theme.
        parent: what it is laid over; empty for none.
        layers: nearest first.
        settings_schema: the JSON Schema of its settings.
        tokens: its own, without any site's values.
        catalogues: reads its translations.
    """

    name: str
    title: str
    version: str
    parent: str
    layers: tuple[Layer, ...]
    settings_schema: Mapping[str, Any]
    tokens: Tokens
    catalogues: Callable[[], Catalogues]

    @property
    def defaults(self) -> dict[str, Any]:
        """Values of its settings that hold until a site gives others."""
        return default_settings(self.settings_schema)

    def speaker(self, locale: str) -> Callable[[str], str]:
        """What says a message of the theme in a language."""
        found = self.catalogues().of(locale)
        return lambda message: found.gettext(message) if message else ""

    def laid(self, overrides: Mapping[str, Mapping[str, str]]) -> Tokens:
        """Its tokens with a site's values."""
        return Tokens(self.layers, overrides)


class ThemeBook:
    """The themes that sites may show.

    Args:
        kernel: whose themes.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._known: dict[str, tuple[float, BookTheme]] = {}
        self._findings: dict[str, tuple[float, list[Finding]]] = {}
        self._checking = asyncio.Lock()

    @property
    def default(self) -> str:
        """The name of the storefront that the deployment's settings choose; empty where it has none."""
        return chosen_themes(self._kernel).get("storefront", "")

    def theme(self, name: str) -> BookTheme:
        """A theme by name; an empty one means the `default`.

        Raises:
            ThemeUnusable: it is not installed, is no storefront, or its ``theme.json`` cannot be read.
        """
        name = name or self.default
        known = self._known.get(name)
        # In development a theme is being written: what it is, is what it is now.
        if known is None or (not self._kernel.settings.production and known[0] != _newest(known[1])):
            theme = self._read(name)
            known = self._known[name] = (_newest(theme), theme)
        return known[1]

    def _read(self, name: str) -> BookTheme:
        try:
            layers = Installed(theme_folders(self._kernel)).chain(name)
            merged = merge(layers)
        except ThemeError as fault:
            raise ThemeUnusable(
                f"The theme {name[:60]!r} cannot be used: {fault.message}",
                cure=fault.cure,
                path=("input", "theme"),
            ) from fault
        if merged.kind != "storefront":
            raise ThemeUnusable(
                f"The theme {name} is for the back office.",
                cure="Choose a storefront.",
                path=("input", "theme"),
            )
        top = layers[0].manifest
        return BookTheme(
            name,
            top.title or name,
            top.version,
            top.parent or "",
            layers,
            merged.settings_schema,
            Tokens(layers),
            cache(lambda: Catalogues(layers, self._kernel.modules)),
        )

    def all(self) -> list[BookTheme]:
        """All storefronts whose ``theme.json`` can be read, by name."""
        found = []
        for name in Installed(theme_folders(self._kernel)).names():
            try:
                found.append(self.theme(name))
            except ThemeUnusable:
                continue
        return found

    async def findings(self, name: str) -> list[Finding]:
        """What `kameng theme check` tells of a theme, as its files are now; in a thread, since it takes some seconds."""
        theme = self.theme(name)
        async with self._checking:
            stamp = await asyncio.to_thread(_newest_of_all, theme)
            known = self._findings.get(theme.name)
            if known is None or known[0] != stamp:
                found = await asyncio.to_thread(check_theme, theme.name, self._kernel)
                known = self._findings[theme.name] = (stamp, found)
        return known[1]

    async def insist(self, name: str) -> BookTheme:
        """A theme that may be shown to visitors.

        Raises:
            ThemeUnusable: it cannot be used, or has errors; the first of them is told.
        """
        theme = self.theme(name)
        if faults := errors_in(await self.findings(theme.name)):
            more = f" There are {len(faults)} errors." if len(faults) > 1 else ""
            raise ThemeUnusable(
                f"The theme {theme.name} has errors: {faults[0]}{more}",
                cure=f"Mend them; `kameng theme check {theme.name}` lists all.",
                path=("input", "theme"),
            )
        return theme


def _newest(theme: BookTheme) -> float:
    """When what this book reads of a theme was changed last."""
    return _stamp(
        file
        for layer in theme.layers
        for file in (layer.folder / FILE_NAME, *layer.folder.glob("locale/*/LC_MESSAGES/*.po"))
    )


def _newest_of_all(theme: BookTheme) -> float:
    """When any file of a theme was changed last."""
    return _stamp(file for layer in theme.layers for file in layer.folder.rglob("*"))


def _stamp(files: Iterable[Path]) -> float:
    stamps = [file.stat().st_mtime for file in files if file.is_file()]
    return max(stamps, default=0.0) + len(stamps)
