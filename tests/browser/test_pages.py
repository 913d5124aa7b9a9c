"""Every page as visitors, members and staff see it: by axe, at three widths, light and dark, without a word from the browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.node import require_node

from .chromium import HERE
from .crawling import Kind, Routes, walk
from .looking import DESKTOP, PHONE, SCHEMES, TABLET, WIDER, Watch, axe, show
from .shop import Shop

HEAVIEST = {"storefront": 60_000, "admin": 120_000}
"""Bytes that a page may take on the wire the first time, without pictures."""

OF_NO_LINK = {
    # Mails and staff lead to these, and crawlers.
    "storefront": {"reset", "open_order_of_old_link", "guest_order", "sitemap", "robots", "payment"},
    "admin": {"setup", "invitation"},
}


@pytest.fixture(scope="session")
def node() -> None:
    """axe."""
    require_node(HERE)


async def faults_of(kind: Kind, page: Any, watch: Watch) -> list[str]:
    """What is wrong with the page that stands open."""
    await page.wait_for_load_state("networkidle")
    found = [f"{kind}: {complaint}" for complaint in watch.complaints]
    if watch.weight > HEAVIEST[kind.theme]:
        found.append(f"{kind}: it weighs {watch.weight:,} bytes")
    for size in (PHONE, TABLET, DESKTOP):
        for scheme in SCHEMES:
            await show(page, size, scheme)
            if scheme == SCHEMES[0] and (wide := await page.evaluate(WIDER)):
                found.append(f"{kind} at {size[0]}: {wide}")
            if size != TABLET:
                found += [f"{kind} at {size[0]}, {scheme}: {one}" for one in await axe(page)]
    return found


@pytest.mark.parametrize(
    ("theme", "who", "language"),
    [
        ("storefront", "visitor", "zh-CN"),
        ("storefront", "member", "en"),
        ("admin", "visitor", "en"),
        ("admin", "staff", "zh-CN"),
    ],
)
async def test_pages_are_as_they_should_be(
    node: None, browser: Any, shop: Shop, theme: str, who: str, language: str
) -> None:
    routes = Routes(shop.server.kernel)
    context = await browser.new_context(locale=language)
    page, watch = await context.new_page(), Watch()
    if who != "visitor":
        await shop.log_in(page, staff=who == "staff")
    watch.attach(page)
    start = f"{shop.url}{'/admin' if theme == 'admin' else '/'}"
    if who == "visitor" and theme == "admin":
        start += "/login"
    seen, faults = set(), list[str]()
    async for kind in walk(page, routes, start):
        if kind.theme != theme:
            continue
        seen.add(kind)
        faults += await faults_of(kind, page, watch)
        watch.fresh()
    await context.close()

    assert faults == [], "\n".join(faults)
    if who != "visitor":
        missing = {kind.name for kind in routes.all(theme) - seen} - OF_NO_LINK[theme]
        entry = {"login", "register", "forgotten", "look_up", "open_order"}
        assert missing - entry == set(), "pages that nobody can get to"
