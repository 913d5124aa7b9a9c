"""Parts of pages: what scripts get that ask for one block."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from tests.engine.themes import shop
from tests.engine.themes.building import one_page, write_theme
from tests.engine.themes.conftest import ORIGIN, Browser, OpenShop, action_of, hidden_fields

QUANTITY = "input.lines[0].quantity"


async def test_a_block_is_told_from_a_whole_page_by_a_header(browser: Browser) -> None:
    part = await browser.get("/", **{"kameng-block": "list"})
    whole = await browser.get("/")

    assert part.headers["kameng-block"] == "list"
    assert part.text.strip().startswith("<ul>")
    assert part.text.strip().endswith("</ul>")
    assert "kameng-block" not in whole.headers


async def test_an_error_page_is_no_block(browser: Browser) -> None:
    answer = await browser.get("/products/nowhere", **{"kameng-block": "main"})

    assert answer.status_code == 404
    assert "kameng-block" not in answer.headers
    assert "This page does not exist" in answer.text


async def test_a_name_that_no_block_can_have_asks_for_the_whole_page(browser: Browser) -> None:
    answer = await browser.get("/", **{"kameng-block": "list\tx"})

    assert answer.status_code == 200
    assert "<title>Welcome</title>" in answer.text


async def test_a_script_whose_form_is_refused_gets_the_block_with_the_errors(browser: Browser) -> None:
    answer = await browser.send("/products/steam", {QUANTITY: "200"}, {"kameng-block": "main"})

    assert (answer.status_code, answer.headers["kameng-block"]) == (422, "main")
    assert "Only 100 are left." in answer.text
    assert "<title>" not in answer.text


async def test_a_script_is_told_of_the_next_page_which_then_shows_the_message(browser: Browser) -> None:
    browser.log_in()

    sent = await browser.send("/products/steam", {QUANTITY: "1"}, {"kameng-block": "main"})

    assert (sent.status_code, sent.headers["kameng-location"]) == (204, "/orders/K%2F1")
    assert "location" not in sent.headers
    assert "kameng-flash" not in sent.headers
    assert "Your order was placed." in (await browser.get("/orders/K1")).text


async def test_a_script_whose_page_stays_shows_the_message_itself(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    child = {"parent": "shop", "forms": {"place_order": {"success": "."}}}
    write_theme(tmp_path, "stays", child)
    browser = open_shop(shop.kernel(config=shop.settings(shop.FIXTURES, tmp_path, storefront="stays")))
    text = (await browser.get("/products/q-coins?tab=a")).text
    fields = {**hidden_fields(text), QUANTITY: "1"}

    sent = await browser.http.post(
        action_of(text), data=fields, headers={"origin": ORIGIN, "kameng-block": "main"}
    )

    assert (sent.status_code, sent.headers["kameng-location"]) == (204, "/products/q-coins?tab=a")
    assert unquote(sent.headers["kameng-flash"]) == "Your order was placed."
    # and it is not told a second time by the next page
    assert "Your order was placed." not in (await browser.get("/products/q-coins")).text


async def test_a_block_takes_no_message_from_the_page_it_is_asked_for_beside(browser: Browser) -> None:
    browser.log_in()
    await browser.send("/products/steam", {QUANTITY: "1"})

    beside = await browser.get("/", **{"kameng-block": "list"})

    assert "set-cookie" not in beside.headers
    assert "Your order was placed." in (await browser.get("/orders/K1")).text


async def test_a_script_that_must_log_in_is_told_where(browser: Browser) -> None:
    answer = await browser.get("/orders/K1", **{"kameng-block": "main"})

    assert (answer.status_code, answer.headers["kameng-location"]) == (204, "/login?next=%2Forders%2FK1")


async def test_the_base_layer_brings_the_script_to_every_theme(open_shop: OpenShop, tmp_path: Path) -> None:
    manifest, files = one_page("{{ asset('js/parts.js') }}")
    write_theme(tmp_path, "bare", {**manifest, "kind": "storefront"}, files)
    browser = open_shop(shop.kernel(config=shop.settings(tmp_path, storefront="bare")))

    address = (await browser.get("/")).text.strip()
    script = await browser.get(address)

    assert address.startswith("/assets/bare/js/parts.")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert 'customElements.define("k-part", Part)' in script.text
    # its imports lead to hashed names as well
    assert "/assets/bare/js/parts-morph." in script.text
    assert "/assets/bare/js/parts-stream." in script.text
