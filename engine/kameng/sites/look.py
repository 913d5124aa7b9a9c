"""A site's look: which theme it shows, and what it changes in it."""

from __future__ import annotations

from typing import Any

import msgspec


class Logo(msgspec.Struct, frozen=True):
    """A picture in the media store.

    Attributes:
        name: its name there, made of its content.
        width, height: in pixels.
    """

    name: str
    width: int
    height: int

    @property
    def url(self) -> str:
        """Where the shop itself serves it, whatever else does."""
        return f"/media/{self.name}"


class Look(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a site's pages look like; whatever is not said is as the theme has it.

    Attributes:
        theme: its name; empty: the one that the deployment's settings choose.
        brand: a colour that a palette is derived from; empty: the theme's own palette.
        logo: the site's picture; None: the theme's.
        settings: values of the theme's settings, by name.
        tokens: values of design tokens by name, each ``{"value": …}`` or ``{"light": …, "dark": …}``.
    """

    theme: str = ""
    brand: str = ""
    logo: Logo | None = None
    settings: dict[str, Any] = {}
    tokens: dict[str, dict[str, str]] = {}


def read_look(text: str | bytes) -> Look:
    """A look as it is kept."""
    return msgspec.json.decode(text, type=Look)


def written(look: Look) -> str:
    """A look as it is kept."""
    return msgspec.json.encode(look).decode()
