"""From a request's headers to who sends it."""

import pytest

from kameng.auth import VISITOR, Credentials, CrossSiteRequest, PrincipalKind, SessionCookie, read_credentials
from kameng.errors import SettingsError, Unauthenticated
from kameng.kernel import Kernel

MEMBER, STAFF = PrincipalKind.MEMBER, PrincipalKind.STAFF
SHOP, ADMIN = SessionCookie("shop"), SessionCookie("admin")


def test_nothing_shown_is_no_credentials():
    assert read_credentials({}, SHOP) == Credentials()
    assert read_credentials({"cookie": "theme=dark"}, SHOP) == Credentials()
    assert not Credentials().cookie_used


def test_each_schema_reads_its_own_cookie():
    headers = {"cookie": "theme=dark; __Host-kameng=kms_a; __Host-kameng-admin=kms_b"}
    assert read_credentials(headers, SHOP) == Credentials(cookie="kms_a")
    assert read_credentials(headers, ADMIN) == Credentials(cookie="kms_b")


@pytest.mark.parametrize("header", ["Bearer kms_a", "bearer kms_a", "BEARER   kms_a "])
def test_a_bearer_token_is_read_whatever_the_case_of_its_scheme(header):
    assert read_credentials({"authorization": header}, SHOP) == Credentials(bearer="kms_a")


def test_a_bearer_token_goes_before_a_cookie():
    credentials = read_credentials({"authorization": "Bearer kms_a", "cookie": "__Host-kameng=kms_b"}, SHOP)
    assert credentials.bearer == "kms_a"
    assert not credentials.cookie_used
    assert Credentials(cookie="kms_b").cookie_used


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwdw==", "kms_a", "Bearer a b", "Bearer a, Bearer b", "Bearer ä"],
)
def test_a_malformed_authorization_header_is_an_error_and_no_visitor(header):
    with pytest.raises(Unauthenticated, match="no bearer token"):
        read_credentials({"authorization": header}, SHOP)


def test_tokens_do_not_show_when_credentials_are_printed():
    assert "kms_" not in repr(Credentials(bearer="kms_a", cookie="kms_b"))


async def test_a_request_is_asked_for_its_origin_when_its_cookie_counts(kernel, directory):
    ann = directory.add(MEMBER)
    opened = await kernel.auth.sessions.open(MEMBER, ann)
    cookie = {"cookie": f"__Host-kameng={opened.token}", "host": "shop.example"}
    foreign = {**cookie, "sec-fetch-site": "cross-site", "origin": "https://evil.example"}

    assert (await kernel.auth.of_request("GET", cookie, "shop")).id == ann
    assert (await kernel.auth.of_request("GET", foreign, "shop")).id == ann
    assert (
        await kernel.auth.of_request("POST", {**cookie, "sec-fetch-site": "same-origin"}, "shop")
    ).id == ann
    for method in ("POST", "WEBSOCKET"):
        with pytest.raises(CrossSiteRequest):
            await kernel.auth.of_request(method, foreign, "shop")

    # a bearer token no other site could have made the browser send
    bearer = {"authorization": f"Bearer {opened.token}", "sec-fetch-site": "cross-site"}
    assert (await kernel.auth.of_request("POST", bearer, "shop")).id == ann
    # the shop's cookie means nothing to the back office
    assert await kernel.auth.of_request("GET", cookie, "admin") == VISITOR


async def test_the_settings_name_other_origins_that_may(start, directory):
    kernel = await start(allowed_origins=("https://app.shop.example",), session_cache_seconds=0)
    opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
    headers = {
        "cookie": f"__Host-kameng={opened.token}",
        "host": "shop.example",
        "sec-fetch-site": "same-site",
        "origin": "https://app.shop.example",
    }
    assert (await kernel.auth.of_request("POST", headers, "shop")).session == opened.id
    with pytest.raises(CrossSiteRequest):
        await kernel.auth.of_request("POST", {**headers, "origin": "https://blog.shop.example"}, "shop")


async def test_cookies_without_secure_are_for_development_only(start):
    kernel = await start(insecure_cookies=True)
    assert kernel.auth.cookie("shop") == SessionCookie("shop", secure=False)
    production = kernel.settings.with_values("kameng", environment="production")
    with pytest.raises(SettingsError, match="insecure_cookies"):
        Kernel(production, [])
