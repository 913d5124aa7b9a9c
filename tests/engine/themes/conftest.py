"""A client for the test shop's pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from functools import cache, partial
from typing import Any

import httpx
import pytest
from litestar import Litestar

from kameng.kernel import Kernel
from kameng.themes import Themes, load_themes
from tests.engine.themes import shop

ORIGIN = "http://shop.test"


class Browser:
    """A browser without JavaScript."""

    def __init__(self, themes: Themes) -> None:
        app = Litestar(
            themes.route_handlers(partial(shop.make_context_for, themes.kernel)),
            openapi_config=None,
            logging_config=None,
        )
        transport = httpx.ASGITransport(app=app)
        self.http = httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers={"accept-language": "en"}, follow_redirects=False
        )

    def log_in(self, kind: str = "member") -> None:
        """From now on come as somebody."""
        self.http.cookies.set("who", kind)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return await self.http.get(path, headers=headers)

    async def send(
        self, page: str, fields: dict[str, Any], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Open a page and send the one form that it has with these fields beside the hidden ones."""
        text = (await self.get(page)).text
        return await self.http.post(
            action_of(text),
            data={**hidden_fields(text), **fields},
            headers={"origin": ORIGIN, **(headers or {})},
        )


def action_of(text: str) -> str:
    """Where the page's form goes."""
    found = re.search(r'<form method="post" action="([^"]+)"', text)
    assert found, text
    return found[1].replace("&amp;", "&")


def hidden_fields(text: str) -> dict[str, str]:
    """The page's hidden fields."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))


@cache
def _themes_of_the_shop() -> Themes:
    """Made once: nothing in them changes from one request to the next."""
    return load_themes(shop.kernel())


OpenShop = Callable[..., Browser]


@pytest.fixture
async def open_shop() -> AsyncIterator[OpenShop]:
    """Makes browsers for kernels."""
    opened: list[Browser] = []

    def make(kernel: Kernel | None = None) -> Browser:
        browser = Browser(load_themes(kernel) if kernel else _themes_of_the_shop())
        opened.append(browser)
        return browser

    yield make
    for browser in opened:
        await browser.http.aclose()


@pytest.fixture
async def browser(open_shop: OpenShop) -> Browser:
    """A browser in front of the test shop."""
    shop.SEEN.orders.clear()
    shop.SEEN.keys.clear()
    shop.SEEN.filters.clear()
    return open_shop()
