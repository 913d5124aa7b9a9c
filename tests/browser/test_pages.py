"""Every page as visitors, members and staff see it: by axe, at three widths, light and dark, without a word from the browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.node import require_node

from .buying import order_as_guest, product_from_stock
from .chromium import HERE
from .crawling import Kind, Routes, walk
from .looking import DESKTOP, PHONE, SCHEMES, TABLET, WIDER, Watch, axe, show
from .shop import WAIT, Shop

HEAVIEST = {"storefront": 60_000, "admin": 120_000}
"""Bytes that a page may take on the wire the first time, without pictures."""

OF_NO_LINK = {
    # Mails lead to the first two, crawlers know the next; what guests order and pay is looked at as a guest.
    "storefront": {"reset", "open_order_of_old_link", "sitemap", "robots", "guest_order", "payment"},
    "admin": {"setup", "invitation"},
}


@pytest.fixture(scope="session")
def node() -> None:
    """axe."""
    require_node(HERE)


async def faults_of(kind: Kind, page: Any, watch: Watch, glass: Any) -> list[str]:
    """What is wrong with the page that stands open.

    Args:
        kind: of the page.
        page: where it stands.
        watch: listens to it.
        glass: another page of the same browser, which nobody listens to. axe looks at it there: the styles that it
            tries are against the page's policy, and the browser tells of them late, when the next page is open.
    """
    await page.wait_for_load_state("networkidle")
    found = [f"{kind}: {complaint}" for complaint in watch.complaints]
    if watch.weight > HEAVIEST[kind.theme]:
        found.append(f"{kind}: it weighs {watch.weight:,} bytes")
    await glass.goto(page.url, wait_until="networkidle", timeout=WAIT)
    for size in (PHONE, TABLET, DESKTOP):
        for scheme in SCHEMES:
            await show(glass, size, scheme)
            if scheme == SCHEMES[0] and (wide := await glass.evaluate(WIDER)):
                found.append(f"{kind} at {size[0]}: {wide}")
            if size != TABLET:
                found += [f"{kind} at {size[0]}, {scheme}: {one}" for one in await axe(glass)]
    return found


async def order_without_account(page: Any, shop: Shop) -> list[str]:
    """Order something and go to pay it, and fill the cart anew; where the order and its payment are."""
    slug = await product_from_stock(shop)
    number = await order_as_guest(page, shop, slug, "passing@example.com")
    await page.click('form[action*="_form=pay_guest_order"] button')
    await page.wait_for_url("**/pay/*")
    pages = [f"{shop.url}/guest-orders/{number}", str(page.url)]
    await page.goto(f"{shop.url}/products/{slug}")
    await page.click("form.buy button[formaction]")
    await page.wait_for_url("**/cart")
    return pages


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
    page, glass, watch = await context.new_page(), await context.new_page(), Watch()
    if who != "visitor":
        await shop.log_in(page, staff=who == "staff")
    guest = (theme, who) == ("storefront", "visitor")
    more = await order_without_account(page, shop) if guest else []
    watch.attach(page)
    start = f"{shop.url}{'/admin' if theme == 'admin' else '/'}"
    if who == "visitor" and theme == "admin":
        start += "/login"
    seen, faults = set(), list[str]()
    async for kind in walk(page, routes, start, more):
        if kind.theme != theme:
            continue
        seen.add(kind)
        faults += await faults_of(kind, page, watch, glass)
        watch.fresh()
    await context.close()

    assert faults == [], "\n".join(faults)
    if guest:
        assert {kind.name for kind in seen} >= {"guest_order", "payment", "checkout"}
    if who != "visitor":
        missing = {kind.name for kind in routes.all(theme) - seen} - OF_NO_LINK[theme]
        entry = {"login", "register", "forgotten", "look_up", "open_order"}
        assert missing - entry == set(), "pages that nobody can get to"
