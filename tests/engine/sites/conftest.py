"""Kernels with two child themes of the default storefront, one of them broken; and short words for what tests do to a site."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio

from kameng.auth import Principal
from kameng.kernel import Kernel
from kameng.notify import module as notify
from kameng.sites import module as sites
from kameng.testing.clients import Client, a_clerk
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog

OWNER = a_clerk("*")

PLAIN: dict[str, Any] = {
    "name": "plain",
    "version": "1.0.0",
    "engine": ">=0.1,<0.2",
    "kind": "storefront",
    "title": "Plain",
    "tokens": {
        "color-brand": {"type": "color", "light": "#0b6b4f", "dark": "#5fd3a8"},
        "color-on-brand": {"type": "color", "light": "#ffffff", "dark": "#06231a"},
        "color-ground": {"type": "color", "light": "#f6f7f5", "dark": "#121513"},
        "color-text": {"type": "color", "light": "#1c211f", "dark": "#e8ece9"},
        "color-muted": {"type": "color", "light": "#5a635e", "dark": "#a2aca7"},
        "color-danger": {"type": "color", "light": "#a3201d", "dark": "#ffb0a8"},
        "radius": {"type": "length", "value": "14px"},
        "shadow": {"type": "shadow", "value": "none"},
        "font-body": {"type": "font", "value": ["system-ui", "sans-serif"]},
        "picture": {"type": "asset", "value": "img/dot.svg"},
    },
    "contrast": [
        {"text": "color-text", "on": "color-ground"},
        {"text": "color-muted", "on": "color-ground"},
        {"text": "color-brand", "on": "color-ground"},
        {"text": "color-on-brand", "on": "color-brand"},
    ],
    "settings": {
        "properties": {
            "shop_name": {
                "type": "string",
                "title": "Name of the shop",
                "default": "Kameng",
                "maxLength": 60,
            },
            "support": {"type": "string", "title": "How buyers reach you", "default": "", "maxLength": 200},
        }
    },
    "pages": {
        "home": {"path": "/", "template": "templates/home.html", "title": "Home"},
        "about": {"path": "/about", "template": "templates/home.html", "title": "About"},
    },
}

LANTERN: dict[str, Any] = {
    "name": "lantern",
    "version": "1.0.0",
    "engine": ">=0.1,<0.2",
    "parent": "plain",
    "title": "Lantern",
    "tokens": {
        "color-brand": {"light": "#8a2b06", "dark": "#ffb38a"},
        "ring": {"type": "length", "value": "2px", "about": "Around what has the focus."},
    },
    "settings": {
        "properties": {
            "tagline": {"type": "string", "title": "Below the name", "default": "", "maxLength": 40},
            "columns": {"type": "integer", "title": "Columns", "default": 3, "minimum": 2, "maximum": 4},
            "festive": {"type": "boolean", "title": "Lanterns", "default": False},
            "shape": {"enum": ["round", "square"], "title": "Shape", "default": "round"},
        }
    },
}
BROKEN = {**LANTERN, "name": "broken", "title": "Broken", "tokens": {"color-brand": {"light": "#ffffff"}}}
OFFICE = {
    "name": "counter",
    "version": "1.0.0",
    "engine": ">=0.1,<0.2",
    "kind": "admin",
    "title": "Counter",
    "pages": {"home": {"path": "/", "template": "templates/home.html", "title": "Home"}},
}

HOME = """\
<!doctype html>
<html lang="{{ locale }}">
<head><meta charset="utf-8"><title>{{ settings.shop_name }}</title>{{ tokens_style() }}</head>
<body class="shop">
<h1>{{ settings.shop_name }}</h1>
{% if logo %}<img src="{{ logo.url }}" width="{{ logo.width }}" height="{{ logo.height }}" alt="">{% endif %}
<p>{{ settings.support }}</p>
<p>{{ token("color-brand") }}</p>
<img src="{{ asset("img/dot.svg") }}" alt="">
</body>
</html>
"""
SITE = (
    "id code title hosts address state version draftRevision shown { theme brand }"
    " draft { theme brand logo { url width height } }"
)


@dataclass
class Office:
    """Somebody who looks after sites."""

    kernel: Kernel
    principal: Principal = field(default_factory=lambda: OWNER)

    @property
    def client(self) -> Client:
        return Client(self.kernel, "admin", self.principal)

    async def sites(self) -> list[dict[str, Any]]:
        """All sites."""
        data = await self.client(f"{{ sites {{ nodes {{ {SITE} }} }} }}")
        return list(data["sites"]["nodes"])

    async def main(self) -> dict[str, Any]:
        """The operator's own site."""
        return next(site for site in await self.sites() if site["code"] == "")

    async def change(self, name: str, **values: Any) -> dict[str, Any]:
        """Carry out a mutation that takes an input; gives its payload."""
        kind = name[0].upper() + name[1:] + "Input"
        data = await self.client(
            f"mutation($input: {kind}!) {{ {name}(input: $input) {{"
            f" site {{ {SITE} }} errors {{ code path message cure }} }} }}",
            {"input": values},
        )
        return dict(data[name])

    async def refused(self, name: str, **values: Any) -> dict[str, Any]:
        """The one error of a mutation."""
        payload = await self.change(name, **values)
        assert payload["site"] is None
        [error] = payload["errors"]
        return dict(error)

    async def done(self, name: str, **values: Any) -> dict[str, Any]:
        """The site after a mutation without errors."""
        payload = await self.change(name, **values)
        assert payload["errors"] == []
        return dict(payload["site"])


def write_themes(folder: Path) -> Path:
    """A folder of all themes."""
    for manifest in (PLAIN, LANTERN, BROKEN, OFFICE):
        theme = folder / str(manifest["name"])
        (theme / "templates").mkdir(parents=True)
        (theme / "theme.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "plain" / "templates" / "home.html").write_text(HOME, "utf-8")
    (folder / "counter" / "templates" / "home.html").write_text(
        "<!doctype html><title>Counter</title>", "utf-8"
    )
    picture = folder / "plain" / "assets" / "img" / "dot.svg"
    picture.parent.mkdir(parents=True)
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf-8")
    return folder


@pytest_asyncio.fixture(loop_scope="session")
async def office(make_kernel: Kernels, tmp_path: Path) -> Office:
    """The back office of a fresh deployment: sites, and a catalogue that keeps pictures."""
    themes = {"folders": [str(write_themes(tmp_path / "themes"))], "storefront": "plain", "admin": ""}
    media = {"media": {"folder": str(tmp_path / "media")}}
    kameng = {"public_url": "https://shop.test"}
    kernel = await make_kernel([sites, notify, catalog], themes=themes, catalog=media, kameng=kameng)
    return Office(kernel)
