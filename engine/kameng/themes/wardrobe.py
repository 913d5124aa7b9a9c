"""What each site shows: a theme, dressed in the look that was published for it.

A theme is made ready once and shared by all sites that show it; a site's own are its settings, tokens and logo, which are laid
over it. What another process publishes is seen by the next request, since `SiteDirectory` hears of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from kameng.errors import Refusal
from kameng.sites.checking import check_look, fitting, laid_over
from kameng.sites.directory import SiteDirectory
from kameng.sites.look import Look
from kameng.themes.errors import ThemeError
from kameng.themes.tokens import Tokens

if TYPE_CHECKING:
    from kameng.sites.book import BookTheme
    from kameng.sites.directory import Site
    from kameng.themes.loaded import LoadedTheme
    from kameng.themes.themes import Themes

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Dressed:
    base: LoadedTheme
    version: int
    theme: LoadedTheme


class Wardrobe:
    """The storefronts of all sites.

    Args:
        themes: the themes of the deployment.
    """

    def __init__(self, themes: Themes) -> None:
        self._themes = themes
        self._directory = themes.kernel.services.find(SiteDirectory)
        self._others: dict[str, LoadedTheme] = {}
        self._unusable: set[str] = set()
        self._dressed: dict[str, _Dressed] = {}
        self._loading = asyncio.Lock()

    async def site(self, host: str) -> Site | None:
        """The site that a request is for; None where sites are a part that this deployment does without."""
        if self._directory is None:
            return None
        await self._directory.current()
        return self._directory.site(host)

    async def published(self, site: Site, default: LoadedTheme) -> LoadedTheme:
        """What a site's visitors see.

        Args:
            site: whose.
            default: the deployment's storefront, which a site shows that has chosen none, or whose own cannot be used.
        """
        if not site.version:
            return default
        base = await self._base(site.look.theme, default)
        known = self._dressed.get(site.code)
        if known is None or known.base is not base or known.version != site.version:
            theme = self.dressed(base, site.look, f"{site.code}@{site.version}")
            known = self._dressed[site.code] = _Dressed(base, site.version, theme)
        return known.theme

    async def draft(self, site: Site, default: LoadedTheme) -> tuple[LoadedTheme, int] | None:
        """What a site's visitors would see, and the draft's revision; None where the site is gone.

        Raises:
            ThemeError: the draft's theme cannot be used as it is.
        """
        found = await self._directory.draft(site.id) if self._directory else None
        if found is None:
            return None
        look, revision = found
        name = look.theme or default.name
        base = default if name == default.name else await self._load(name)
        return self.dressed(base, look, f"{site.code}~{revision}"), revision

    async def named(self, name: str) -> LoadedTheme | None:
        """A storefront by name, for its assets; None where it cannot be used."""
        if name in self._others:
            return self._others[name]
        # Whoever asks for assets names any theme; only those that are installed are looked at.
        if name in self._unusable or name not in self._themes.installed.names():
            return None
        try:
            return await self._load(name)
        except ThemeError:
            self._note_unusable(name)
            return None

    def dressed(self, base: LoadedTheme, look: Look, variant: str) -> LoadedTheme:
        """A theme with a look laid over it. What the theme no longer takes of it is left out.

        Args:
            base: the theme, ready.
            look: what a site changes.
            variant: tells this from the same theme on other sites.
        """
        theme = _as_changed(base)
        try:
            check_look(theme, look)
        except Refusal as refusal:
            log.warning(
                "a look does not fit its theme any more", variant=variant, theme=base.name, why=str(refusal)
            )
            look = fitting(theme, look)
        tokens = Tokens(base.merged.layers, laid_over(theme, look))
        return replace(
            base,
            tokens=tokens,
            css=tokens.css(lambda path: base.assets.url(path) if path in base.assets else ""),
            settings={**base.settings, **look.settings},
            logo=look.logo,
            variant=variant,
        )

    async def _base(self, name: str, default: LoadedTheme) -> LoadedTheme:
        if not name or name == default.name or name in self._unusable:
            return default
        try:
            return await self._load(name)
        except ThemeError as fault:
            # It was checked when it was published: somebody has taken it away or broken it since.
            log.error("a site's theme cannot be used; it shows the default", theme=name, why=str(fault))
            self._note_unusable(name)
            return default

    async def _load(self, name: str) -> LoadedTheme:
        development = not self._themes.kernel.settings.production
        async with self._loading:
            known = self._others.get(name)
            if known is None:
                # In a thread: making a theme ready takes a moment, and other sites' pages go on meanwhile.
                known = await asyncio.to_thread(self._themes.load, name, "storefront")
            elif development:
                known = self._themes.renewed(known)
            self._others[name] = known
            return known

    def _note_unusable(self, name: str) -> None:
        # In development it may be mended the next moment.
        if self._themes.kernel.settings.production:
            self._unusable.add(name)


def _as_changed(base: LoadedTheme) -> BookTheme:
    """What a site may change of a theme, as it was made ready, whatever has become of its files since."""
    # Imported here: it reads themes, which this is a part of.
    from kameng.sites.book import BookTheme

    top = base.merged.layers[0].manifest
    return BookTheme(
        base.name,
        top.title or base.name,
        top.version,
        top.parent or "",
        base.merged.layers,
        base.merged.settings_schema,
        base.tokens,
        lambda: base.catalogues,
    )
