"""E-mail addresses in one way of writing."""

import pytest

from kameng.errors import InvalidInput
from kameng_membership.emails import normal_email


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a@example.com", "a@example.com"),
        (" Li.Wei+Shop@Example.COM\n", "li.wei+shop@example.com"),
        ("ａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "a@example.com"),
        ("a@例子.中国", "a@xn--fsqu00a.xn--fiqs8s"),
        ("o'neil@sub.example.co.uk", "o'neil@sub.example.co.uk"),
        ("1234567890@qq.com", "1234567890@qq.com"),
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert normal_email(typed) == kept
    assert normal_email(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "@",
        "a@",
        "@example.com",
        "a@b",
        "a@@example.com",
        "a@b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a@-example.com",
        "a@example..com",
        "a@example.com.",
        '"a b"@example.com',
        "a@[127.0.0.1]",
        "李@example.com",
        "a\n@example.com",
        "x" * 250 + "@example.com",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        normal_email(typed)
