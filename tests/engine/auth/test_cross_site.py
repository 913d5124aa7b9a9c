"""What another site makes a logged-in browser send is refused; what our own pages send is not."""

import pytest

from kameng.auth import CrossSiteRequest, check_origin

UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "post", "WEBSOCKET", "PROPFIND")


def check(method="POST", cookie_used=True, allowed=(), **headers):
    check_origin(
        method,
        {name.replace("_", "-"): value for name, value in headers.items()},
        cookie_used=cookie_used,
        allowed_origins=allowed,
    )


@pytest.mark.parametrize("site", ["same-origin", "none"])
@pytest.mark.parametrize("method", UNSAFE)
def test_our_own_pages_and_the_address_bar_may(method, site):
    check(method, sec_fetch_site=site, host="shop.example")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "same-origin, cross-site", "SAME-ORIGIN"])
@pytest.mark.parametrize("method", UNSAFE)
def test_another_site_and_a_neighbouring_subdomain_may_not(method, site):
    with pytest.raises(CrossSiteRequest) as refused:
        check(method, sec_fetch_site=site, host="shop.example", origin="https://blog.shop.example")
    assert refused.value.code == "CROSS_SITE_REQUEST"


def test_where_the_browser_says_so_the_origin_does_not_help():
    with pytest.raises(CrossSiteRequest):
        check(sec_fetch_site="cross-site", origin="https://shop.example", host="shop.example")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://shop.example", "shop.example"),
        ("https://shop.example", "shop.example:443"),
        ("http://shop.example:80", "shop.example"),
        ("https://SHOP.example", "shop.EXAMPLE"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_an_older_browser_is_believed_by_its_origin(origin, host):
    check(origin=origin, host=host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "shop.example"),
        ("https://shop.example.evil.example", "shop.example"),
        ("https://shop.example:8443", "shop.example"),
        ("http://localhost:8000", "localhost:8001"),
        ("http://127.0.0.1:8000", "localhost:8000"),
        ("null", "shop.example"),
        ("", ""),
        ("https://", ""),
        ("file://shop.example", "shop.example"),
        ("https://shop.example:port", "shop.example"),
        ("https://[", "shop.example"),
    ],
)
def test_another_origin_is_not(origin, host):
    with pytest.raises(CrossSiteRequest):
        check(origin=origin, host=host)


def test_a_request_that_does_not_say_where_it_comes_from_is_refused():
    with pytest.raises(CrossSiteRequest):
        check(host="shop.example")


def test_an_origin_that_the_operator_allows_may():
    allowed = ("https://app.shop.example",)
    check(sec_fetch_site="same-site", origin=allowed[0], host="shop.example", allowed=allowed)
    check(origin=allowed[0], host="shop.example", allowed=allowed)
    with pytest.raises(CrossSiteRequest):
        check(origin="http://app.shop.example", host="shop.example", allowed=allowed)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "get"])
def test_what_changes_nothing_may_come_from_anywhere(method):
    check(method, sec_fetch_site="cross-site", origin="https://evil.example", host="shop.example")


def test_without_a_cookie_there_is_nothing_to_abuse():
    check(cookie_used=False, sec_fetch_site="cross-site", origin="https://evil.example", host="shop.example")
