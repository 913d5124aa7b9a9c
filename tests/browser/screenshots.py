"""Pictures of every page at three widths, light and dark: ``make screenshots``.

They go to ``docs/pictures/pages`` as WebP, named ``storefront-product-390-dark.webp``, with an index of all.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from PIL import Image

from kameng.testing.databases import TestServices

from .chromium import chromium
from .crawling import Kind, Routes, walk
from .looking import DESKTOP, PHONE, SCHEMES, TABLET, show
from .shop import Shop, running_shop

FOLDER = Path(__file__).parents[2] / "docs" / "pictures" / "pages"
LONGEST = 2_400
"""Pixels of a page from its top that are shown; what follows in a long list looks alike."""


async def take(page: Any, kind: Kind) -> None:
    """All pictures of the page that stands open."""
    await page.wait_for_load_state("networkidle")
    for size in (PHONE, TABLET, DESKTOP):
        for scheme in SCHEMES:
            await show(page, size, scheme)
            picture = Image.open(io.BytesIO(await page.screenshot(full_page=True)))
            picture = picture.crop((0, 0, picture.width, min(picture.height, LONGEST)))
            name = f"{kind.theme}-{kind.name}-{size[0]}-{scheme}.webp"
            picture.save(FOLDER / name, "WEBP", quality=50, method=6)


async def take_all(browser: Any, shop: Shop) -> list[Kind]:
    """Pictures of all pages, as visitors, members and staff see them."""
    routes = Routes(shop.server.kernel)
    taken: list[Kind] = []
    for theme, who in (
        ("storefront", "member"),
        ("storefront", "visitor"),
        ("admin", "staff"),
        ("admin", "visitor"),
    ):
        context = await browser.new_context(locale="zh-CN" if who != "visitor" else "en")
        page = await context.new_page()
        if who != "visitor":
            await shop.log_in(page, staff=who == "staff")
        start = shop.url + ("/admin" if theme == "admin" else "/")
        async for kind in walk(page, routes, start):
            if kind.theme == theme and kind not in taken:
                await take(page, kind)
                taken.append(kind)
                print(kind, flush=True)
        await context.close()
    return taken


def write_index(kinds: list[Kind]) -> None:
    """A page of Markdown with all pictures."""
    lines = [
        "# Pages",
        "",
        "Made by `make screenshots` from the demo shop: at 390, 768 and 1440 pixels, light and dark.",
        "",
    ]
    for kind in sorted(kinds, key=str):
        lines += [f"## {kind}", ""]
        for scheme in SCHEMES:
            lines += [
                " ".join(
                    f"![{kind.name}, {size[0]} px, {scheme}](pages/{kind.theme}-{kind.name}-{size[0]}-{scheme}.webp)"
                    for size in (PHONE, TABLET, DESKTOP)
                ),
                "",
            ]
    (FOLDER.parent / "pages.md").write_text("\n".join(lines), "utf-8")


async def main() -> None:
    """Take them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TestServices.started() as services:
        async with AsyncExitStack() as stack:
            browser = await stack.enter_async_context(chromium())

            def new_folder() -> Path:
                return Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))

            shop = await stack.enter_async_context(running_shop(services, new_folder))
            write_index(await take_all(browser, shop))


if __name__ == "__main__":
    asyncio.run(main())
