"""The module's pages, in whatever themes are installed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from kameng.auth.first_administrator import FirstAdministrator
from kameng.http.app import create_app

from .conftest import Shop

ORIGIN = "https://shop.test"
PASSWORD = "seven green kettles at noon"


@pytest.fixture
async def browser(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts in front of the shop."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create_app(shop.kernel)),
        base_url=ORIGIN,
        headers={"accept-language": "en"},
    ) as client:
        yield client


def form(text: str, name: str) -> tuple[str, dict[str, str]]:
    """Where a page's first form of a name goes, and its hidden fields."""
    found = re.search(
        rf'<form method="post" action="([^"]*_form={re.escape(name)}[^"]*)".*?</form>', text, re.DOTALL
    )
    assert found, text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', found[0])
    return unescape(found[1]), {key: unescape(value) for key, value in hidden}


async def send(
    browser: httpx.AsyncClient, path: str, name: str, fields: dict[str, str] | None = None
) -> httpx.Response:
    """Open a page and send one of its forms."""
    action, hidden = form((await browser.get(path)).text, name)
    return await browser.post(action, data={**hidden, **(fields or {})}, headers={"origin": ORIGIN})


async def test_a_products_reviews_have_a_page_of_their_own(shop: Shop, browser: httpx.AsyncClient) -> None:
    product = await shop.stock("CARD", 1)
    await shop.review(await shop.buyer("CARD"), product, 4, "Worked at <once>.")

    page = await browser.get("/products/card/reviews")

    assert page.status_code == 200
    assert "<h1>Reviews of Card</h1>" in page.text
    assert "Worked at &lt;once&gt;." in page.text
    # in the shop's frame, in both languages
    assert 'action="/products"' in page.text
    assert "评价" in (await browser.get("/products/card/reviews?lang=zh-CN")).text
    assert (await browser.get("/products/nothing/reviews")).status_code == 404


async def test_the_staff_hides_a_review_on_a_page_of_the_back_office(
    shop: Shop, browser: httpx.AsyncClient
) -> None:
    # Given a review, and the first administrator
    product = await shop.stock("CARD", 1)
    await shop.review(await shop.buyer("CARD"), product, 1, "Rude")
    assert (await browser.get("/admin/reviews")).status_code == 303
    link = await shop.kernel.services.get(FirstAdministrator).link()
    assert link
    made = await send(
        browser,
        httpx.URL(link).raw_path.decode(),
        "set_up",
        {"input.name": "Ada", "input.email": "ada@example.com", "input.password": PASSWORD},
    )
    assert made.status_code == 303
    # Then the navigation leads to the page, which shows it
    assert 'href="/admin/reviews"' in (await browser.get("/admin")).text
    page = await browser.get("/admin/reviews")
    assert "Rude" in page.text
    # When it is hidden there, then the shop shows it no more, and the page says so
    sent = await send(browser, "/admin/reviews", "reviews.hide")
    assert (sent.status_code, sent.headers["location"]) == (303, "/admin/reviews")
    page = await browser.get("/admin/reviews")
    assert "The review was changed." in page.text
    assert "Show again" in page.text
    assert "Rude" not in (await browser.get("/products/card/reviews")).text
