"""Pages: documents, variables, rendering, who may see them, and what is shown when there is nothing to show."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from kameng.errors import UnavailableError
from tests.engine.themes import shop
from tests.engine.themes.building import one_page, write_theme
from tests.engine.themes.conftest import Browser, OpenShop


async def test_a_page_shows_what_its_document_asked_for(browser: Browser) -> None:
    answer = await browser.get("/")

    assert answer.status_code == 200
    assert '<a href="/products/q-coins">Q币 &#34;100&#34; &amp; more</a> CN¥98.50' in answer.text


async def test_a_product_name_with_markup_stays_text_everywhere(browser: Browser) -> None:
    text = (await browser.get("/products/steam")).text

    assert "<script>alert" not in text
    assert "<title>Steam &lt;script&gt;alert(1)&lt;/script&gt;</title>" in text
    assert '<h1 title="Steam &lt;script&gt;alert(1)&lt;/script&gt;">Steam &lt;script&gt;' in text


async def test_query_parameters_fill_variables_by_their_types(browser: Browser) -> None:
    text = (
        await browser.get("/?first=1&filter.kind=TOP_UP&filter.maxPrice=9.5&filter[text]=Q&unknown=x")
    ).text

    assert text.count("<li>") == 1
    assert shop.SEEN.filters == [
        shop.ProductFilter(kind=shop.Kind.TOP_UP, text="Q", max_price=Decimal("9.5"))
    ]


async def test_an_empty_query_parameter_means_that_nothing_was_given(browser: Browser) -> None:
    text = (await browser.get("/?first=&filter.text=")).text

    assert text.count("<li>") == 2
    assert shop.SEEN.filters == [None]


async def test_an_unreadable_query_parameter_is_left_out_and_told(browser: Browser) -> None:
    answer = await browser.get("/?first=many&filter.kind=NONSENSE")

    assert answer.status_code == 200
    assert answer.text.count("<li>") == 2
    assert '<p class="problem">Give a whole number.</p>' in answer.text
    assert shop.SEEN.filters == [None]


async def test_the_path_goes_before_the_query(browser: Browser) -> None:
    text = (await browser.get("/products/none?slug=steam")).text

    assert "<title>Third</title>" in text


@pytest.mark.parametrize("path", ["/nowhere", "/products/unknown", "/products/a/b", "/products/"])
async def test_what_does_not_exist_is_a_404_page(browser: Browser, path: str) -> None:
    answer = await browser.get(path)

    assert answer.status_code == 404
    assert "<h1>This page does not exist</h1>" in answer.text
    assert answer.headers["cache-control"] == "private, no-store"


async def test_a_fault_is_a_500_page_with_a_reference_and_nothing_else(browser: Browser) -> None:
    answer = await browser.get("/products/crash")

    assert answer.status_code == 500
    assert "Reference: ref-1" in answer.text
    assert "on fire" not in answer.text


async def test_a_slash_too_many_is_no_other_page(browser: Browser) -> None:
    assert "<title>Third</title>" in (await browser.get("/products/none/")).text


async def test_head_has_the_headers_and_no_body(browser: Browser) -> None:
    answer = await browser.http.head("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == b""


async def test_a_visitor_is_sent_to_the_log_in_with_the_way_back(browser: Browser) -> None:
    answer = await browser.get("/orders/K1?tab=codes&x=%26")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Forders%2FK1%3Ftab%3Dcodes%26x%3D%2526"


async def test_a_member_sees_a_members_page_and_nobody_keeps_a_copy(browser: Browser) -> None:
    browser.log_in()

    answer = await browser.get("/orders/K1")

    assert answer.status_code == 200
    assert "<title>Order K1</title>" in answer.text
    assert "CN¥197.00" in answer.text
    assert answer.headers["cache-control"] == "private, no-store"


async def test_an_order_that_is_not_there_for_this_member_is_a_404(browser: Browser) -> None:
    browser.log_in()

    assert (await browser.get("/orders/X1")).status_code == 404


async def test_the_policy_allows_what_bears_the_nonce_of_this_very_answer(browser: Browser) -> None:
    first, second = await browser.get("/"), await browser.get("/")

    nonces = [
        re.search(r"script-src 'nonce-([^']+)'", item.headers["content-security-policy"])
        for item in (first, second)
    ]
    assert nonces[0] is not None
    assert nonces[1] is not None
    assert nonces[0][1] != nonces[1][1]
    assert set(re.findall(r'nonce="([^"]*)"', first.text)) == {nonces[0][1]}
    policy = first.headers["content-security-policy"]
    for directive in (
        "default-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert directive in policy.split("; ")
    assert "unsafe" not in policy


async def test_a_block_alone_is_answered_to_a_script(browser: Browser) -> None:
    whole = (await browser.get("/")).text
    part = await browser.get("/", **{"kameng-block": "list"})

    assert part.text.strip().startswith("<ul>")
    assert part.text.strip().endswith("</ul>")
    assert part.text in whole
    assert (await browser.get("/", **{"kameng-block": "nothing"})).status_code == 404


async def test_an_admin_theme_lives_below_admin(open_shop: OpenShop) -> None:
    browser = open_shop(shop.kernel(config=shop.settings(storefront="", admin="backoffice")))

    assert '<a href="/admin/prices">' in (await browser.get("/admin")).text
    assert (await browser.get("/")).status_code == 404


async def test_a_page_with_a_permission_is_for_those_who_hold_it(open_shop: OpenShop) -> None:
    browser = open_shop(shop.kernel(config=shop.settings(storefront="", admin="backoffice")))

    browser.log_in("staff")
    assert (await browser.get("/admin/prices")).status_code == 403
    browser.http.cookies.set("rights", "shop.edit_prices")
    assert (await browser.get("/admin/prices")).status_code == 200


async def test_a_template_that_fails_is_a_500_page(open_shop: OpenShop, tmp_path: Path) -> None:
    folder = write_theme(tmp_path, "broken", *one_page("{{ no_such_name }}"))
    browser = open_shop(shop.kernel(config=shop.settings(folder, storefront="broken")))

    answer = await browser.get("/")

    assert answer.status_code == 500
    assert "no_such_name" not in answer.text


async def test_an_error_page_that_fails_still_answers(open_shop: OpenShop, tmp_path: Path) -> None:
    manifest, files = one_page("{{ no_such_name }}")
    folder = write_theme(
        tmp_path, "broken", manifest, {**files, "templates/errors/error.html": "{{ no_such_name }}"}
    )
    browser = open_shop(shop.kernel(config=shop.settings(folder, storefront="broken")))

    answer = await browser.get("/")

    assert answer.status_code == 500
    assert "<h1>Something went wrong on our side</h1>" in answer.text


async def test_a_service_that_is_away_is_a_503_page_in_the_visitors_language(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise UnavailableError("PostgreSQL does not answer.")

    monkeypatch.setattr(shop, "PrincipalKind", away)
    browser.log_in()

    answer = await browser.get("/?lang=zh-CN")

    assert answer.status_code == 503
    assert "<h1>我们马上回来</h1>" in answer.text
    assert "PostgreSQL" not in answer.text


async def test_a_theme_has_an_error_page_of_its_own(open_shop: OpenShop, tmp_path: Path) -> None:
    manifest, files = one_page("home")
    folder = write_theme(
        tmp_path, "own", manifest, {**files, "templates/errors/404.html": "Lost: {{ error.status }}"}
    )
    browser = open_shop(shop.kernel(config=shop.settings(folder, storefront="own")))

    assert (await browser.get("/nowhere")).text == "Lost: 404"


async def test_a_page_without_a_document_has_the_layouts_data(browser: Browser) -> None:
    assert '<p id="engine">' in (await browser.get("/login")).text
