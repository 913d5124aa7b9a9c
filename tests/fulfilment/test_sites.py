"""Prices of a single site: lists, product pages, carts and orders tell the same one, by the host that was asked."""

from __future__ import annotations

from typing import Any

import pytest

from kameng.auth import Principal
from kameng.ids import global_id, new_id
from kameng.sites.hosts import host_name
from kameng.testing.kernels import Kernels

from .conftest import OWNER, PLACE, Shop

SET_PRICE = """
mutation($input: SetVariantPriceInput!) { setVariantPrice(input: $input) { errors { code message } } }
"""

LOOK = """
{ products(first: 5) { nodes { priceFrom { amount } variants { price { amount } } } }
  product(slug: "g-1") { priceFrom { amount } variants { price { amount } } } }
"""

ADD = """
mutation($input: AddToCartInput!) { addToCart(input: $input) {
  cart { lines { unitPrice { amount } } total { amount } } errors { code } } }
"""

PAY = """
mutation($input: PayOrderInput!) { payOrder(input: $input) { payment { number } errors { code } } }
"""

TOP_UP = """
mutation($key: String!) { topUp(input: {amount: {amount: "50.00", currency: "CNY"}}) @idempotent(key: $key) {
  payment { number } errors { code } } }
"""

HOSTS = {
    "north.example": "7.50",
    "NORTH.example:8443": "7.50",
    "east.example": "9.00",
    "elsewhere.example": "9.00",
    "": "9.00",
}


async def asked(shop: Shop, source: str, variables: Any, who: Principal, host: str) -> Any:
    answer = await shop.ask("shop", source, variables, who, host=host)
    assert answer.errors is None, answer.errors
    return answer.data


@pytest.mark.parametrize(("host", "price"), HOSTS.items())
async def test_a_price_of_a_site_holds_wherever_its_host_is_asked(
    make_kernel: Kernels, host: str, price: str
) -> None:
    # Given a product that costs less on the site north, which two hosts are
    sites = {"north.example": "north", "north2.example": "north", "east.example": "east"}
    shop = Shop(await make_kernel(catalog={"sites": sites}))
    variant = await shop.stock("G-1", "9.00", ["one", "two"])
    given = {
        "variant": global_id("Variant", variant),
        "unit": {"amount": "7.50", "currency": "CNY"},
        "site": "north",
    }
    answer = await shop.ask("admin", SET_PRICE, {"input": given}, OWNER)
    assert answer.data == {"setVariantPrice": {"errors": []}}, answer
    member = await shop.member("100")
    # When somebody looks, fills a cart and orders on a host
    shown = await asked(shop, LOOK, None, member, host)
    item = {"priceFrom": {"amount": price}, "variants": [{"price": {"amount": price}}]}
    # Then all tell the price of its site
    assert shown == {"products": {"nodes": [item]}, "product": item}
    line = {"variantId": global_id("Variant", variant), "quantity": 1}
    added = await asked(shop, ADD, {"input": {"lines": [line]}}, member, host)
    assert added["addToCart"]["cart"]["total"] == {"amount": price}
    for wanted in ({"fromCart": True}, {"lines": [line]}):
        values = {"input": wanted, "key": str(new_id())}
        placed = (await asked(shop, PLACE, values, member, host))["placeOrder"]
        assert placed["errors"] == []
        assert placed["order"]["total"] == {"amount": price, "currency": "CNY"}


async def test_other_hosts_are_the_default_site(make_kernel: Kernels) -> None:
    shop = Shop(await make_kernel(catalog={"sites": {"own.example": ""}, "default_site": "north"}))
    variant = await shop.stock("G-1", "9.00", ["one"])
    given = {
        "variant": global_id("Variant", variant),
        "unit": {"amount": "7.50", "currency": "CNY"},
        "site": "north",
    }
    await shop.ask("admin", SET_PRICE, {"input": given}, OWNER)
    member = await shop.member()
    for host, price in (("any.example", "7.50"), ("own.example", "9.00")):
        shown = await asked(shop, LOOK, None, member, host)
        assert shown["product"]["variants"] == [{"price": {"amount": price}}]


async def test_an_order_and_its_payment_know_the_site_that_they_came_from(make_kernel: Kernels) -> None:
    # Given a site beside the operator's own
    shop = Shop(await make_kernel(catalog={"sites": {"north.example": "north"}}))
    variant = await shop.stock("G-1", "9.00", ["one", "two", "three", "four", "five"])
    line = {"variantId": global_id("Variant", variant), "quantity": 1}
    for host, site in (("north.example", "north"), ("own.example", "")):
        member = await shop.member("100")
        # When orders are placed there, paid from the wallet, paid from outside and from the cart
        numbers = {}
        await asked(shop, ADD, {"input": {"lines": [line]}}, member, host)
        for way, wanted in {
            "wallet": {"lines": [line]},
            "outside": {"lines": [line], "payment": "OUTSIDE"},
            "cart": {"fromCart": True, "payment": "OUTSIDE"},
        }.items():
            if site == "" and way == "wallet":
                continue
            values = {"input": wanted, "key": f"{way}-key"}
            placed = (await asked(shop, PLACE, values, member, host))["placeOrder"]
            assert placed["errors"] == []
            # Then the same request from another host is the same order, not another one's key
            again = (await asked(shop, PLACE, values, member, "other.example"))["placeOrder"]
            assert again["errors"] == []
            assert again["order"]["id"] == placed["order"]["id"]
            numbers[way] = placed["order"]["number"]
        # Then the staff sees where they came from
        for number in numbers.values():
            seen = await shop.ask(
                "admin", "query($n: String!) { order(number: $n) { site } }", {"n": number}, OWNER
            )
            assert seen.data == {"order": {"site": site}}
        # And so does their payment, wherever it is asked for
        opened = await asked(shop, PAY, {"input": {"number": numbers["outside"]}}, member, "other.example")
        payment = opened["payOrder"]["payment"]["number"]
        assert (
            await shop.kernel.db.fetchval("select site from settlement_payment where number = $1", payment)
            == site
        )
        topped = await asked(shop, TOP_UP, {"key": "top-up"}, member, host)
        assert (
            await shop.kernel.db.fetchval(
                "select site from settlement_payment where number = $1", topped["topUp"]["payment"]["number"]
            )
            == site
        )


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example:443", "shop.example"),
        ("shop.example.", "shop.example"),
        ("[::1]:8000", "[::1]"),
        ("[::1]", "[::1]"),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    assert host_name(host) == name
