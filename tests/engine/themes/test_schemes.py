"""Light and dark: which is shown, and what is remembered."""

from __future__ import annotations

import pytest

from kameng.themes.schemes import chosen_scheme
from tests.engine.themes.conftest import Browser


@pytest.mark.parametrize(
    ("query", "cookies", "expected"),
    [
        ({}, {}, ""),
        ({}, {"kameng_scheme": "dark"}, "dark"),
        ({"scheme": "light"}, {"kameng_scheme": "dark"}, "light"),
        ({"scheme": "auto"}, {"kameng_scheme": "dark"}, ""),
        ({"scheme": 'dark" onload="'}, {"kameng_scheme": "dark"}, "dark"),
        ({}, {"kameng_scheme": "../../etc"}, ""),
    ],
)
def test_the_scheme_is_chosen_by_query_then_cookie(
    query: dict[str, str], cookies: dict[str, str], expected: str
) -> None:
    assert chosen_scheme(query, cookies) == expected


async def test_a_choice_by_address_is_remembered_until_it_is_taken_back(browser: Browser) -> None:
    assert (await browser.get("/?scheme=dark")).cookies["kameng_scheme"] == "dark"
    assert (await browser.get("/")).cookies.get("kameng_scheme") is None
    assert (await browser.get("/?scheme=auto")).cookies["kameng_scheme"] == "auto"
