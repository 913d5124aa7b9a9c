"""Visitors who are known again by a token of their own."""

import pytest

from kameng.auth import VISITOR, CrossSiteRequest, forget_visitor, greet_visitor, known_visitor
from kameng.auth.visitors import read_visitor, visitor_cookie
from kameng.graphql import Context
from kameng.http.requests import context_of

TOKEN = f"kmv_{'a' * 43}"
OTHER = f"kmv_{'b' * 43}"


@pytest.mark.parametrize(
    ("headers", "secure", "found"),
    [
        ({}, True, ""),
        ({"kameng-visitor": TOKEN}, True, TOKEN),
        ({"kameng-visitor": "kmv_short"}, True, ""),
        ({"cookie": f"a=b; __Host-kameng-visitor={TOKEN}"}, True, TOKEN),
        # A name without its prefix could have been planted by a neighbouring subdomain
        ({"cookie": f"kameng-visitor={TOKEN}"}, True, ""),
        ({"cookie": f"kameng-visitor={TOKEN}"}, False, TOKEN),
        ({"cookie": f"__Host-kameng-visitor={TOKEN}; __Host-kameng-visitor={OTHER}"}, True, ""),
        ({"cookie": "__Host-kameng-visitor="}, True, ""),
        # The header goes before the cookie
        ({"kameng-visitor": OTHER, "cookie": f"__Host-kameng-visitor={TOKEN}"}, True, OTHER),
    ],
)
def test_a_token_is_read_from_the_header_or_the_cookie(headers, secure, found):
    assert read_visitor(headers, secure=secure) == found


async def test_a_visitor_is_greeted_once_and_forgotten_once(make_kernel):
    kernel = await make_kernel([])
    context = Context(kernel, principal=VISITOR)
    assert known_visitor(context) is None
    first = greet_visitor(context)
    assert greet_visitor(context) == first == known_visitor(context)
    assert context.cookies == [visitor_cookie(context.visitor, secure=True)]
    assert read_visitor({"kameng-visitor": context.visitor}, secure=True) == context.visitor
    forget_visitor(context)
    forget_visitor(context)
    assert context.cookies[1:] == [visitor_cookie(None, secure=True)]
    assert known_visitor(context) is None


async def test_another_site_cannot_act_with_a_visitors_cookie(make_kernel):
    kernel = await make_kernel([])
    scope = {"type": "http", "method": "POST", "client": ("192.0.2.1", 1), "state": {}}
    cookie = {"cookie": f"__Host-kameng-visitor={TOKEN}", "host": "shop.test"}
    with pytest.raises(CrossSiteRequest):
        await context_of(kernel, scope, {**cookie, "origin": "https://evil.test"}, "shop")
    own = await context_of(kernel, scope, {**cookie, "origin": "https://shop.test"}, "shop")
    # No page of another site can set the header, so a program that sends it need not say where it comes from
    program = await context_of(kernel, scope, {"kameng-visitor": TOKEN, "host": "shop.test"}, "shop")
    assert own.visitor == program.visitor == TOKEN
