"""The session cookie as it is set, read and forgotten."""

import pytest

from kameng.auth import SessionCookie

SHOP, ADMIN = SessionCookie("shop"), SessionCookie("admin")


def test_the_cookies_are_bound_to_the_host_and_out_of_reach_of_scripts():
    assert SHOP.header("kms_abc", max_age=3600) == (
        "__Host-kameng=kms_abc; Max-Age=3600; Path=/; Secure; HttpOnly; SameSite=Lax"
    )
    assert ADMIN.header("kms_abc") == "__Host-kameng-admin=kms_abc; Path=/; Secure; HttpOnly; SameSite=Strict"


def test_logging_out_makes_the_browser_forget():
    assert ADMIN.header(None) == "__Host-kameng-admin=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict"


def test_in_development_without_tls_they_have_plain_names():
    plain = SessionCookie("shop", secure=False)
    assert plain.header("kms_abc") == "kameng=kms_abc; Path=/; HttpOnly; SameSite=Lax"
    assert plain.read("kameng=kms_abc") == "kms_abc"
    assert plain.read("__Host-kameng=kms_abc") is None
    assert SHOP.read("kameng=kms_abc") is None


@pytest.mark.parametrize("token", ["a; Domain=evil.example", "a\r\nSet-Cookie: b=c", "", "a b"])
def test_nothing_but_a_token_becomes_a_cookie(token):
    with pytest.raises(ValueError, match="letters, digits"):
        SHOP.header(token)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("", None),
        ("__Host-kameng=kms_a", "kms_a"),
        ("a=b;__Host-kameng=kms_a;c=d", "kms_a"),
        ('__Host-kameng="kms_a"', "kms_a"),
        ("__Host-kameng=kms_a; __Host-kameng=kms_a", "kms_a"),
        ("__Host-kameng=kms_a; __Host-kameng=kms_b", None),
        ("__Host-kameng-admin=kms_a", None),
        ("x__Host-kameng=kms_a", None),
        ("__host-kameng=kms_a", None),
        ("__Host-kameng", None),
        ("__Host-kameng=", None),
        (";;=;", None),
    ],
)
def test_the_token_is_found_in_a_cookie_header(header, token):
    assert SHOP.read(header) == token
