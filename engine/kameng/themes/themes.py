"""The themes of a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from kameng.errors import SettingsError
from kameng.graphql.context import Context
from kameng.http.requests import context_of, read_headers
from kameng.settings import Settings
from kameng.settings.sections import ThemesSettings
from kameng.themes.confinement import confinement_findings
from kameng.themes.discovery import Installed
from kameng.themes.errors import ThemeError, ThemeFaulty
from kameng.themes.finding import Level, errors_in
from kameng.themes.handlers import asset_handler, page_handlers
from kameng.themes.loaded import PREFIXES, LoadedTheme, build_theme
from kameng.themes.manifest import Kind, SchemaName
from kameng.themes.wardrobe import Wardrobe

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.themes.serving import AnyRequest, MakeContext

log = structlog.get_logger(__name__)

KINDS: tuple[Kind, ...] = ("storefront", "admin")


class Themes:
    """The themes that a deployment shows: at most one of each kind.

    Attributes:
        wardrobe: what each site shows of them.

    Args:
        kernel: for schemas, modules and execution.
        chosen: names of themes by kind; a kind that is missing is not served.
        installed: where themes are found.

    Raises:
        ThemeError: a chosen theme is missing or cannot be used.
    """

    def __init__(self, kernel: Kernel, chosen: Mapping[Kind, str], installed: Installed) -> None:
        self.kernel = kernel
        self.installed = installed
        self._chosen = dict(chosen)
        self._active: dict[Kind, LoadedTheme] = {}
        self._stamps: dict[Kind, float] = {}
        self._other_stamps: dict[str, float] = {}
        self.wardrobe = Wardrobe(self)
        for kind, name in chosen.items():
            self._active[kind] = self.load(name, kind)

    def load(self, name: str, kind: Kind | None = None) -> LoadedTheme:
        """Make a theme ready.

        Args:
            name: the theme's.
            kind: what it must be.

        Raises:
            ThemeFaulty: it has errors; all of them are told together.
            ThemeError: it is missing, of another kind, or its parents are.
        """
        layers = self.installed.chain(name)
        stranger = layers[0].folder.is_relative_to(uploaded_folder(self.kernel))
        confined = stranger or name in self.kernel.settings.section("themes", ThemesSettings).confined
        zone = time_zone(self.kernel.settings)
        theme, findings = build_theme(
            layers, self.kernel.schemas, self.kernel.modules, zone, confined=confined
        )
        if confined:
            findings += confinement_findings(theme)
            trusted, _ = build_theme(layers[1:], self.kernel.schemas, self.kernel.modules, zone)
            theme = replace(theme, trusted=trusted)
        if faults := errors_in(findings):
            raise ThemeFaulty(name, faults)
        for finding in findings:
            if finding.level is Level.WARNING:
                log.warning("theme finding", finding=str(finding))
        if kind is not None and theme.merged.kind != kind:
            raise ThemeError(
                f"The theme {name} is of kind {theme.merged.kind}, but is chosen as {kind}.",
                cure=f"Choose a theme of kind {kind}.",
            )
        return theme

    @property
    def kinds(self) -> Sequence[Kind]:
        """The kinds that are shown."""
        return tuple(self._active)

    def active(self, kind: Kind) -> LoadedTheme:
        """The theme that shows one of the `kinds`."""
        return self._active[kind]

    def fresh(self, kind: Kind) -> LoadedTheme:
        """The theme that shows this kind, made ready anew where its files have changed; for development.

        Raises:
            ThemeError: as it is now, it cannot be used.
        """
        theme = self._active[kind]
        stamp = _newest(theme)
        if stamp != self._stamps.setdefault(kind, stamp):
            self.installed = Installed(theme_folders(self.kernel))
            self._active[kind] = self.load(self._chosen[kind], kind)
            self._stamps[kind] = stamp
            log.info("theme reloaded", theme=theme.name)
        return self._active[kind]

    def renewed(self, theme: LoadedTheme) -> LoadedTheme:
        """A theme of a site, made ready anew where its files have changed since it was last asked for; for development.

        Raises:
            ThemeError: as it is now, it cannot be used.
        """
        stamp = _newest(theme)
        if self._other_stamps.setdefault(theme.name, stamp) == stamp:
            return theme
        self.installed = Installed(theme_folders(self.kernel))
        found = self.load(theme.name, theme.merged.kind)
        self._other_stamps[theme.name] = stamp
        return found

    def asset_theme(self, name: str) -> LoadedTheme | None:
        """The active theme of a name."""
        return next((theme for theme in self._active.values() if theme.name == name), None)

    def route_handlers(self, make_context: MakeContext) -> list[Any]:
        """Litestar handlers for assets, pages and forms; none where no theme is shown.

        Args:
            make_context: finds out who asks: ``async (request, schema) -> Context``. Where a form comes from is checked
                before it is called; the language of the context is set afterwards.
        """
        if not self._active:
            return []
        handlers: list[Any] = [asset_handler(self)]
        for kind in self._active:
            handlers += page_handlers(self, kind, PREFIXES[kind], make_context)
        return handlers


def _newest(theme: LoadedTheme) -> float:
    """A number that changes when a file of the theme does, comes or goes."""
    stamps = [
        file.stat().st_mtime
        for layer in theme.merged.layers
        for file in layer.folder.rglob("*")
        if file.is_file()
    ]
    return max(stamps, default=0.0) + len(stamps)


def theme_folders(kernel: Kernel) -> list[Path]:
    """The folders that the settings name."""
    folders = kernel.settings.section("themes", ThemesSettings).folders
    uploaded = uploaded_folder(kernel)
    return [
        *(kernel.settings.root / folder for folder in folders),
        *([uploaded] if uploaded.is_dir() else []),
    ]


def uploaded_folder(kernel: Kernel) -> Path:
    """Where themes are kept that came from archives; all of them are confined."""
    return kernel.settings.data_dir / "themes"


def time_zone(settings: Settings) -> ZoneInfo:
    """The time zone in which pages show days and times.

    Raises:
        SettingsError: the settings name none that is known.
    """
    name = settings.section("themes", ThemesSettings).time_zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(
            f"[themes] time_zone: there is no time zone {name!r}.", cure="Use a name such as Asia/Shanghai."
        ) from error


def load_themes(kernel: Kernel) -> Themes:
    """The themes that a deployment's settings choose.

    ``storefront`` and ``admin`` in ``[themes]`` name them; by default those called so, where they are installed. An empty
    name shows nothing of that kind.

    Raises:
        ThemeError: a theme is missing or cannot be used; every fault of it is told.
    """
    installed = Installed(theme_folders(kernel))
    return Themes(kernel, chosen_themes(kernel, installed), installed)


def chosen_themes(kernel: Kernel, installed: Installed | None = None) -> dict[Kind, str]:
    """The names of the themes that a deployment's settings choose, by kind.

    Args:
        kernel: the deployment.
        installed: where themes are found; None: looked for.
    """
    settings = kernel.settings.section("themes", ThemesSettings)
    chosen: dict[Kind, str] = {}
    for kind, name in zip(KINDS, (settings.storefront, settings.admin), strict=True):
        if name:
            chosen[kind] = name
        elif name is None and kind in (installed or Installed(theme_folders(kernel))).names():
            chosen[kind] = kind
    return chosen


def theme_handlers(kernel: Kernel) -> list[Any]:
    """The handlers of a deployment's themes, for its web application.

    Raises:
        ThemeError: a theme is missing or cannot be used.
    """

    async def make_context(request: AnyRequest, schema: SchemaName) -> Context:
        # Where a form comes from is checked by the theme engine itself, which answers with a page.
        return await context_of(kernel, request.scope, read_headers(request.scope), schema, method="GET")

    return load_themes(kernel).route_handlers(make_context)
