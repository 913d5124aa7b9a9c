"""The theme is whole, and shows what it says: its colours, its logo, its two templates, and the parent's everything else."""

from __future__ import annotations

import re

import httpx

from kameng.http.app import create_app
from kameng.testing.kernels import Kernels
from kameng.themes import Installed, check_theme

ORIGIN = "https://lantern.test"


async def test_nothing_is_wrong_with_it(make_kernel: Kernels) -> None:
    kernel = await make_kernel()
    # Its own title of a setting is shown by the back office alone; of the parent's files its author need not hear.
    assert [str(item) for item in check_theme("lantern", kernel) if item.level.value != "advice"] == []


def test_it_is_laid_over_the_storefront() -> None:
    layers = [layer.name for layer in Installed().chain("lantern")]
    assert layers == ["lantern", "storefront", "base"]


async def test_pages_are_its_own_where_it_says_so_and_the_parents_elsewhere(make_kernel: Kernels) -> None:
    kernel = await make_kernel(themes={"storefront": "lantern"}, kameng={"public_url": ORIGIN})
    transport = httpx.ASGITransport(app=create_app(kernel))
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers={"accept-language": "en"}
    ) as browser:
        home = (await browser.get("/")).text
        # its colours and corners, its logo, its greeting
        assert "--color-brand:light-dark(#a3260b, #ffab8a)" in home
        assert "--radius:20px" in home
        logos = re.findall(r'<img[^>]+src="(/assets/lantern/img/lantern\.[0-9a-f]{16}\.svg)"', home)
        assert len(logos) == 2
        assert "Come in. The lights are on day and night." in home
        # the parent's first page below it
        assert 'class="hero"' in home
        # its style sheet is laid over the parent's
        [style] = re.findall(r'href="(/assets/lantern/css/main\.[0-9a-f]{16}\.css)"', home)
        text = (await browser.get(style)).text
        assert re.match(r'@import "[^"]*main\.[0-9a-f]{16}\.css"', text)
        assert ".greeting" in text
        # another page is the parent's, with the logo
        products = (await browser.get("/products")).text
        assert logos[0] in products
        assert "Come in." not in products
        # and in Chinese
        answer = await browser.get("/?lang=zh-CN")
        assert "请进，灯火昼夜不熄。" in answer.text
