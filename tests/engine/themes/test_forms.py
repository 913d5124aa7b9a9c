"""Forms: mutations, their errors and values, where they come from and where they lead to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kameng.themes.local_path import is_local_path
from tests.engine.themes import shop
from tests.engine.themes.building import write_theme
from tests.engine.themes.conftest import ORIGIN, Browser, OpenShop, action_of, hidden_fields

QUANTITY = "input.lines[0].quantity"


async def test_a_form_runs_its_mutation_and_leads_on(browser: Browser) -> None:
    answer = await browser.send("/products/steam", {QUANTITY: " 2 ", "input.note": "a\r\nb"})

    assert answer.status_code == 303
    # The order's number holds a slash, which must not become one of the path.
    assert answer.headers["location"] == "/orders/K%2F1"
    assert shop.SEEN.orders == [{"lines": [("steam", 2)], "note": "a\nb"}]


async def test_the_hidden_key_reaches_the_mutation_and_each_page_has_its_own(browser: Browser) -> None:
    page = (await browser.get("/products/steam")).text
    other = (await browser.get("/products/steam")).text
    fields = hidden_fields(page)

    for _ in range(2):
        await browser.http.post(action_of(page), data={**fields, QUANTITY: "1"}, headers={"origin": ORIGIN})

    assert shop.SEEN.keys == [fields["_key"], fields["_key"]]
    assert hidden_fields(other)["_key"] != fields["_key"]


async def test_a_key_that_could_not_be_ours_is_replaced(browser: Browser) -> None:
    await browser.send("/products/steam", {QUANTITY: "1", "_key": "x' or 1"})

    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", shop.SEEN.keys[0] or "")


async def test_a_value_that_cannot_be_read_shows_the_form_again(browser: Browser) -> None:
    answer = await browser.send("/products/steam", {QUANTITY: "two <b>", "input.password": "geheim"})

    assert answer.status_code == 422
    assert shop.SEEN.orders == []
    assert 'value="two &lt;b&gt;"' in answer.text
    assert 'aria-describedby="field-input-lines-0-quantity-error"' in answer.text
    assert (
        '<p class="field-error" id="field-input-lines-0-quantity-error">Give a whole number.</p>'
        in answer.text
    )
    assert "geheim" not in answer.text


async def test_a_required_value_that_is_missing_is_told(browser: Browser) -> None:
    answer = await browser.send("/products/steam", {QUANTITY: ""})

    assert answer.status_code == 422
    assert answer.text.count("This is required.") == 2  # in the summary and at the field


async def test_errors_of_the_payload_stand_at_their_fields_with_a_fresh_key(browser: Browser) -> None:
    answer = await browser.send("/products/steam", {QUANTITY: "200"})

    assert answer.status_code == 422
    assert 'value="200"' in answer.text
    assert "Only 100 are left. Take fewer.</p>" in answer.text
    assert hidden_fields(answer.text)["_key"] != shop.SEEN.keys[0]


async def test_errors_find_their_row_though_an_earlier_one_was_left_empty(browser: Browser) -> None:
    fields = {
        "input.lines[0].slug": "",
        QUANTITY: "",
        "input[lines][4][slug]": "q-coins",
        "input[lines][4][quantity]": "200",
    }
    page = (await browser.get("/products/steam")).text

    answer = await browser.http.post(
        action_of(page), data={**hidden_fields(page), **fields}, headers={"origin": ORIGIN}
    )

    assert shop.SEEN.orders == [{"lines": [("q-coins", 200)], "note": None}]
    assert answer.status_code == 422
    # It is in the summary, and not at the first row, whose field is shown.
    assert answer.text.count("Only 100 are left.") == 1


async def test_after_a_fault_the_next_try_has_the_same_key(browser: Browser) -> None:
    answer = await browser.send("/products/steam", {QUANTITY: "13"})

    assert answer.status_code == 500
    assert "on fire" not in answer.text
    assert "nothing will happen twice" in answer.text
    assert 'value="13"' in answer.text
    assert hidden_fields(answer.text)["_key"] == shop.SEEN.keys[0]


async def test_messages_of_forms_are_in_the_visitors_language(browser: Browser) -> None:
    answer = await browser.send("/products/steam?lang=zh-CN", {QUANTITY: "x"})

    assert "请填写整数。" in answer.text


async def test_success_is_told_once(browser: Browser) -> None:
    browser.log_in()
    sent = await browser.send("/products/steam", {QUANTITY: "1"})
    assert sent.cookies["kameng_flash"] == "place_order"

    assert "Your order was placed." in (await browser.get("/orders/K1")).text
    assert "Your order was placed." not in (await browser.get("/orders/K1")).text


async def test_a_planted_flash_cookie_shows_nothing(browser: Browser) -> None:
    browser.http.cookies.set("kameng_flash", "You won! Call 555")

    assert "You won" not in (await browser.get("/")).text


async def test_an_unknown_form_is_a_404(browser: Browser) -> None:
    assert (await browser.http.post("/?_form=nothing", headers={"origin": ORIGIN})).status_code == 404
    assert (await browser.http.post("/", headers={"origin": ORIGIN})).status_code == 404


async def test_a_script_gets_the_block_of_a_refused_form_alone(browser: Browser) -> None:
    answer = await browser.send("/products/steam", {QUANTITY: "200"}, {"kameng-block": "main"})

    assert answer.status_code == 422
    assert answer.text.startswith("<h1")
    assert "Only 100 are left." in answer.text


async def test_a_body_that_cannot_be_read_is_no_fault_of_ours(browser: Browser) -> None:
    headers = {"origin": ORIGIN, "content-type": "multipart/form-data; boundary=x"}

    answer = await browser.http.post("/login?_form=log_in", content=b"--y\r\nnonsense", headers=headers)

    assert 400 <= answer.status_code < 500
    assert "<!doctype html>" in answer.text


async def test_a_theme_says_an_error_in_its_own_words(open_shop: OpenShop, tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    error = 'msgctxt "error"\nmsgid "OUT_OF_STOCK"\nmsgstr "{}"\n'
    write_theme(
        tmp_path,
        "wordy",
        {"parent": "shop"},
        {
            "locale/zh_CN/LC_MESSAGES/messages.po": head + error.format("库存不足"),
            "locale/en/LC_MESSAGES/messages.po": head + error.format("Sold out"),
        },
    )
    browser = open_shop(shop.kernel(config=shop.settings(shop.FIXTURES, tmp_path, storefront="wordy")))

    assert "Sold out</p>" in (await browser.send("/products/steam", {QUANTITY: "200"})).text
    assert "库存不足</p>" in (await browser.send("/products/steam?lang=zh-CN", {QUANTITY: "200"})).text


async def test_a_form_may_show_what_was_answered_instead_of_leading_on(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    told = """{% extends "@parent/product.html" %}{% block main %}{{ super() }}
    {% set made = form("place_order") %}
    {% if made.answer %}<p id="told">{{ made.answer.placeOrder.order.number }} {{ made.failed }}</p>{% endif %}{% endblock %}"""
    write_theme(
        tmp_path,
        "telling",
        {"parent": "shop", "forms": {"place_order": {"shows": True}}},
        {"templates/product.html": told},
    )
    browser = open_shop(shop.kernel(config=shop.settings(shop.FIXTURES, tmp_path, storefront="telling")))

    refused = await browser.send("/products/steam", {QUANTITY: "200"})
    done = await browser.send("/products/steam", {QUANTITY: "2", "input.note": "kept in no form"})

    assert refused.status_code == 422
    assert 'id="told"' not in refused.text
    assert (done.status_code, "location" in done.headers) == (200, False)
    assert '<p id="told">K/1 False</p>' in done.text
    assert "kept in no form" not in done.text


class TestLoggingIn:
    """A form that changes who somebody is."""

    async def test_the_resolvers_cookie_is_set(self, browser: Browser) -> None:
        answer = await browser.send("/login", {"input.name": "Ann", "input.password": "right"})

        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "__Host-kameng=kms_new; Path=/; Secure; HttpOnly; SameSite=Lax" in answer.headers.get_list(
            "set-cookie"
        )

    async def test_the_password_is_never_put_back(self, browser: Browser) -> None:
        answer = await browser.send("/login", {"input.name": "Ann", "input.password": "wrong-one"})

        assert answer.status_code == 422
        assert 'value="Ann"' in answer.text
        assert "wrong-one" not in answer.text
        assert "Name or password are wrong." in answer.text

    async def test_it_leads_back_to_where_somebody_came_from(self, browser: Browser) -> None:
        answer = await browser.send(
            "/login?next=/orders/K1%3Ftab%3Dcodes", {"input.name": "Ann", "input.password": "right"}
        )

        assert answer.headers["location"] == "/orders/K1?tab=codes"

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.test/",
            "//evil.test",
            "/\\evil.test",
            "/\t/evil.test",
            "javascript:alert(1)",
            "\\\\evil.test",
            "evil",
        ],
    )
    async def test_it_leads_nowhere_else(self, browser: Browser, target: str) -> None:
        page = await browser.http.get("/login", params={"next": target})
        assert "_next" not in hidden_fields(page.text)

        sent = {**hidden_fields(page.text), "_next": target, "input.name": "Ann", "input.password": "right"}
        answer = await browser.http.post(action_of(page.text), data=sent, headers={"origin": ORIGIN})

        assert answer.headers["location"] == "/"

    async def test_a_mutation_that_needs_a_log_in_leads_there(self, browser: Browser) -> None:
        answer = await browser.send("/products/steam", {QUANTITY: "14"})

        # The refusal is one of the payload's, so it is shown; a page's own guard would lead away.
        assert answer.status_code == 422
        assert "Log in first." in answer.text


class TestForgery:
    """Forms that another site makes a browser send."""

    async def _send(self, browser: Browser, changed: dict[str, str | None], headers: dict[str, str]) -> int:
        page = (await browser.get("/products/steam")).text
        fields = {**hidden_fields(page), QUANTITY: "1", **changed}
        sent = {name: value for name, value in fields.items() if value is not None}
        answer = await browser.http.post(action_of(page), data=sent, headers=headers)
        return answer.status_code

    async def test_without_a_token_it_is_refused(self, browser: Browser) -> None:
        assert await self._send(browser, {"_csrf": None}, {"origin": ORIGIN}) == 403
        assert shop.SEEN.orders == []

    @pytest.mark.parametrize("token", ["", "x", "A" * 64, "=" * 8, "Ä" * 10, "A" * 5000])
    async def test_with_a_made_up_token_it_is_refused(self, browser: Browser, token: str) -> None:
        assert await self._send(browser, {"_csrf": token}, {"origin": ORIGIN}) == 403
        assert shop.SEEN.orders == []

    async def test_with_somebody_elses_token_it_is_refused(
        self, open_shop: OpenShop, browser: Browser
    ) -> None:
        foreign = hidden_fields((await open_shop().get("/products/steam")).text)["_csrf"]

        assert await self._send(browser, {"_csrf": foreign}, {"origin": ORIGIN}) == 403
        assert shop.SEEN.orders == []

    async def test_a_token_from_before_the_log_in_is_refused(self, browser: Browser) -> None:
        page = (await browser.get("/products/steam")).text
        browser.log_in()

        answer = await browser.http.post(
            action_of(page), data={**hidden_fields(page), QUANTITY: "1"}, headers={"origin": ORIGIN}
        )

        assert answer.status_code == 403
        assert "too old" in answer.text

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.test"},
            {"origin": "null"},
            {"origin": "http://shop.test.evil.test"},
            {"origin": "http://shop.test:81"},
            {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
            {"origin": ORIGIN, "sec-fetch-site": "same-site"},
            {},
        ],
    )
    async def test_from_elsewhere_it_is_refused_though_the_token_holds(
        self, browser: Browser, headers: dict[str, str]
    ) -> None:
        assert await self._send(browser, {}, headers) == 403
        assert shop.SEEN.orders == []

    async def test_from_our_own_page_it_is_taken(self, browser: Browser) -> None:
        assert await self._send(browser, {}, {"sec-fetch-site": "same-origin"}) == 303
        assert await self._send(browser, {}, {"origin": ORIGIN}) == 303

    async def test_no_two_tokens_are_alike(self, browser: Browser) -> None:
        first = hidden_fields((await browser.get("/products/steam")).text)["_csrf"]
        second = hidden_fields((await browser.get("/products/steam")).text)["_csrf"]

        assert first != second
        assert await self._send(browser, {"_csrf": first}, {"origin": ORIGIN}) == 303

    async def test_over_tls_the_cookie_is_bound_to_the_host(self, open_shop: OpenShop) -> None:
        config = shop.settings().with_values("kameng", public_url="https://shop.test")
        browser = open_shop(shop.kernel(config=config))

        cookie = (await browser.get("/products/steam")).headers["set-cookie"]

        assert re.fullmatch(r"__Host-kameng_form=[\w-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", cookie)

    async def test_a_page_without_a_form_sets_no_cookie(self, browser: Browser) -> None:
        assert "set-cookie" not in (await browser.get("/")).headers


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("/", True),
        ("/a/b?c=d#e", True),
        ("/你好", True),
        ("", False),
        ("a", False),
        ("//evil.test", False),
        ("/\\evil.test", False),
        ("/a\nb", False),
        ("/\x00", False),
        ("http://evil.test", False),
        ("/" + "a" * 2_000, False),
    ],
)
def test_only_paths_of_this_site_are_local(text: str, local: bool) -> None:
    assert is_local_path(text) is local
