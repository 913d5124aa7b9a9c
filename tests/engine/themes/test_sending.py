"""How pages travel: 304 for what has not changed, compressed where that tells nobody anything."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from kameng.themes.answers import HTML, HttpAnswer
from kameng.themes.csp import page_headers
from kameng.themes.sending import ready_to_send
from tests.engine.themes import shop
from tests.engine.themes.building import one_page, write_theme
from tests.engine.themes.conftest import Browser, OpenShop


async def test_a_page_that_stays_the_same_is_not_sent_again(browser: Browser) -> None:
    first = await browser.get("/")
    again = await browser.get("/", **{"if-none-match": first.headers["etag"]})

    assert first.headers["etag"].startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["vary"] == first.headers["vary"].replace(", Accept-Encoding", "")
    # the stored page keeps its own policy, whose nonce its scripts bear
    assert "content-security-policy" not in again.headers


async def test_another_content_is_sent(browser: Browser) -> None:
    first = await browser.get("/")

    for path, language in (("/?first=1", "en"), ("/", "zh-CN")):
        headers = {"if-none-match": first.headers["etag"], "accept-language": language}
        assert (await browser.get(path, **headers)).status_code == 200


async def test_a_page_with_a_form_is_always_sent_since_its_key_counts_once(browser: Browser) -> None:
    answer = await browser.get("/products/steam")

    assert "etag" not in answer.headers
    assert (await browser.get("/products/steam", **{"if-none-match": "*"})).status_code == 200


async def test_a_key_for_scripts_makes_a_page_unique_as_well(open_shop: OpenShop, tmp_path: Path) -> None:
    manifest, files = one_page("{{ idempotency_key() }}", kind="storefront")
    write_theme(tmp_path, "keyed", manifest, files)
    browser = open_shop(shop.kernel(config=shop.settings(tmp_path, storefront="keyed")))

    assert "etag" not in (await browser.get("/")).headers


async def test_a_page_of_one_person_is_never_kept(browser: Browser) -> None:
    browser.log_in()

    answer = await browser.get("/orders/K1", **{"if-none-match": "*"})

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    assert "etag" not in answer.headers


async def test_a_part_has_a_tag_of_its_own(browser: Browser) -> None:
    part = await browser.get("/", **{"kameng-block": "list"})
    whole = await browser.get("/")

    again = await browser.get("/", **{"kameng-block": "list", "if-none-match": part.headers["etag"]})
    assert part.headers["etag"] != whole.headers["etag"]
    assert again.status_code == 304


def page(*, private: bool = False, body: bytes = b"<p>" * 1000) -> HttpAnswer:
    """A page before it is sent."""
    return HttpAnswer(200, HTML, body, page_headers("n", private=private))


def encoding(answer: HttpAnswer) -> str | None:
    """How an answer is encoded."""
    return dict(answer.headers).get("content-encoding")


def test_a_page_is_compressed_where_the_browser_reads_that() -> None:
    packed = ready_to_send({"accept-encoding": "gzip, br"}, page())
    plain = ready_to_send({}, page())

    assert (encoding(packed), encoding(plain)) == ("gzip", None)
    assert gzip.decompress(packed.body) == page().body == plain.body
    assert len(packed.body) < 200
    for answer in (packed, plain):
        assert dict(answer.headers)["vary"] == "Cookie, Accept-Language, Kameng-Block, Accept-Encoding"


def test_the_length_of_a_compressed_page_is_random() -> None:
    lengths = {len(ready_to_send({"accept-encoding": "gzip"}, page()).body) for _ in range(200)}

    assert len(lengths) > 10


@pytest.mark.parametrize(
    ("site", "expected"),
    [("same-origin", "gzip"), ("none", "gzip"), ("cross-site", None), ("same-site", None), ("", None)],
)
def test_a_page_of_one_person_is_compressed_only_for_our_own_pages(site: str, expected: str | None) -> None:
    headers = {"accept-encoding": "gzip", "sec-fetch-site": site}

    assert encoding(ready_to_send(headers, page(private=True))) == expected


def test_small_answers_and_redirects_stay_as_they_are() -> None:
    small = page(body=b"<p>")
    redirect = HttpAnswer(303, "text/plain", b"", [("location", "/")])

    for answer in (small, redirect):
        assert ready_to_send({"accept-encoding": "gzip"}, answer) is answer
