"""Walking through a shop's pages by their links, one of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urlsplit

from kameng.kernel import Kernel
from kameng.themes import LoadedTheme, load_themes

from .shop import WAIT

LINKS = "[...document.querySelectorAll('a[href]')].map(link => link.href)"


@dataclass(frozen=True)
class Kind:
    """A page of a theme.

    Attributes:
        theme: its kind, ``storefront`` or ``admin``.
        name: as in ``theme.json``.
    """

    theme: str
    name: str

    def __str__(self) -> str:
        return f"{self.theme}/{self.name}"


class Routes:
    """Which page an address belongs to.

    Args:
        kernel: whose themes are served.
    """

    def __init__(self, kernel: Kernel) -> None:
        themes = load_themes(kernel)
        self._themes: list[LoadedTheme] = [themes.active(kind) for kind in ("admin", "storefront")]

    def kind(self, address: str) -> Kind | None:
        """The page of a path; None where no theme has one."""
        path = urlsplit(address).path
        for theme in self._themes:
            if theme.prefix and not (path == theme.prefix or path.startswith(f"{theme.prefix}/")):
                continue
            found = theme.routes.match(path.removeprefix(theme.prefix) or "/")
            return Kind(theme.merged.kind, found[0]) if found else None
        return None

    def all(self, theme: str) -> set[Kind]:
        """All pages of a theme."""
        (found,) = (one for one in self._themes if one.merged.kind == theme)
        return {Kind(theme, name) for name in found.merged.pages}


async def walk(page: Any, routes: Routes, start: str, more: Iterable[str] = ()) -> AsyncIterator[Kind]:
    """Open one page of each kind, beginning at an address, by the links that pages have.

    Args:
        page: where they are opened; it stands on the page while its kind is handled.
        routes: tells pages apart.
        start: the first address; links to other hosts are left alone.
        more: addresses that no link leads to.
    """
    host = urlsplit(start).netloc
    todo, seen = [start, *more], set[Kind]()
    while todo:
        address = todo.pop(0)
        kind = routes.kind(address)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        await page.goto(address, timeout=WAIT)
        here = routes.kind(page.url)
        if here != kind:
            continue  # it leads elsewhere, such as to a log-in
        todo += [urldefrag(link).url for link in await page.evaluate(LINKS) if urlsplit(link).netloc == host]
        yield kind
