"""Carts, the checkout and orders without an account through forms, without scripts."""

from __future__ import annotations

import re

import httpx

from kameng.money import Money
from kameng_fulfilment.contract import Payments
from tests.themes.conftest import PASSWORD, SECRETS, Browser, Shop, text_of

QUANTITY = "input.lines[0].quantity"


async def put_in(browser: Browser, count: int = 1) -> httpx.Response:
    """Put pieces of ``plum`` into the cart from the product's page, as its second button does."""
    page = await browser.get("/products/plum")
    assert re.search(
        r'<button class="button quiet" formaction="/products/plum\?_form=add_to_cart">', page.text
    )
    # A form's fields are the same for both of its buttons.
    return await browser.send(
        "/products/plum", "place_order", send_to="add_to_cart", **{QUANTITY: str(count)}
    )


async def test_a_visitor_fills_a_cart_and_orders_it_once_he_has_logged_in(shop: Shop) -> None:
    # Given a member with money, and the same person in a browser that does not know him
    await shop.member("lin@example.com")
    await shop.credit(await shop.first_administrator(), "lin@example.com", "100.00")
    browser = shop.open()
    # When he puts something into the cart
    added = await put_in(browser, 2)
    assert (added.status_code, added.headers["location"]) == (303, "/cart"), text_of(added)
    cart = await browser.get("/cart")
    assert "It is in your cart." in text_of(cart)
    assert "CN¥19.00" in text_of(cart)
    assert '<span class="badge">2</span>' in (await browser.get("/")).text
    assert cart.headers["cache-control"] == "private, no-store"
    # And logs in on the way to the checkout
    await browser.send(
        "/login?next=%2Fcheckout", "log_in", input__email="lin@example.com", input__password=PASSWORD
    )
    checkout = await browser.get("/checkout")
    assert "Order and pay CN¥19.00" in text_of(checkout)
    ordered = await browser.send("/checkout", "order_cart", input__note="Soon, please")
    # Then the order is placed, and the cart is empty
    assert ordered.status_code == 303, text_of(ordered)
    shown = (await browser.get(ordered.headers["location"])).text
    assert sum(secret in shown for secret in SECRETS) == 2
    assert "Your cart is empty." in text_of(await browser.get("/cart"))
    assert 'class="badge"' not in (await browser.get("/")).text


async def test_a_line_is_changed_and_taken_out(shop: Shop) -> None:
    browser = shop.open()
    await put_in(browser)
    changed = await browser.send("/cart", "change_cart_line", input__quantity="3")
    assert changed.status_code == 303, text_of(changed)
    assert "CN¥28.50" in text_of(await browser.get("/cart"))
    too_many = await browser.send("/cart", "change_cart_line", input__quantity="100000")
    assert too_many.status_code == 422
    assert "CN¥28.50" in text_of(too_many)
    await browser.send("/cart", "change_cart_line", input__quantity="4")
    assert "Only 3 are left." in text_of(await browser.get("/cart"))
    assert 'href="/checkout"' not in (await browser.get("/cart")).text
    await browser.send("/cart", "remove_from_cart")
    assert "Your cart is empty." in text_of(await browser.get("/cart"))


async def test_a_guest_orders_pays_and_finds_his_order_again(shop: Shop) -> None:
    # Given a guest at the checkout
    guest = shop.open("zh-CN")
    await put_in(guest)
    checkout = await guest.get("/checkout")
    assert "邮箱或手机号" in text_of(checkout)
    wrong = await guest.send("/checkout", "order_as_guest", input__contact="nobody")
    assert wrong.status_code == 422
    ordered = await guest.send("/checkout", "order_as_guest", input__contact="138 1234 5678")
    assert ordered.status_code == 303, text_of(ordered)
    order = await shop.kernel.db.fetchrow("select id, number from fulfilment_order")
    assert order is not None
    path = ordered.headers["location"]
    assert path == f"/guest-orders/{order['number']}"
    page = await guest.get(path)
    assert "待付款" in text_of(page) or "等待付款" in text_of(page), text_of(page)
    assert "+86138****5678" in text_of(page)
    assert page.headers["cache-control"] == "private, no-store"
    secret = re.search(r'<code class="secret">(s[A-Za-z0-9_-]{43})</code>', page.text)
    assert secret
    # When it is paid
    payments = shop.kernel.services.get(Payments)
    await payments.paid(order["id"], Money(950, "CNY"), "manual", "T-1")
    # Then number and secret show the code in any browser, and neither is ever part of an address
    elsewhere = shop.open()
    assert (await elsewhere.get(path)).status_code == 404
    opened = await elsewhere.send(
        "/open-order", "open_guest_order", input__number=order["number"].lower(), input__secret=secret[1]
    )
    assert (opened.status_code, opened.headers["location"]) == (303, path), text_of(opened)
    shown = (await elsewhere.get(path)).text
    assert any(code in shown for code in SECRETS)
    # And number and contact show the order without it
    outsider = shop.open()
    found = await outsider.send(
        "/look-up", "look_up_order", input__number=order["number"].lower(), input__contact="13812345678"
    )
    assert (found.status_code, found.headers["location"]) == (303, path), text_of(found)
    outline = await outsider.get(path)
    assert "Delivered" in text_of(outline)
    assert not any(code in outline.text for code in (*SECRETS, secret[1]))


async def test_a_link_of_old_opens_the_order_by_a_button(shop: Shop) -> None:
    guest = shop.open()
    await put_in(guest)
    await guest.send("/checkout", "order_as_guest", input__contact="lin@example.com")
    number = await shop.kernel.db.fetchval("select number from fulfilment_order")
    page = await guest.get(f"/guest-orders/{number}")
    secret = re.search(r'<code class="secret">(s[A-Za-z0-9_-]{43})</code>', page.text)
    assert secret
    elsewhere = shop.open()
    opened = await elsewhere.send(f"/guest-orders/{number}/{secret[1]}", "open_guest_order")
    assert (opened.status_code, opened.headers["location"]) == (303, f"/guest-orders/{number}")


async def test_a_guest_calls_his_order_off_complains_and_takes_it_into_his_account(shop: Shop) -> None:
    # Given a guest with an order that he does not want
    guest = shop.open()
    await put_in(guest)
    ordered = await guest.send("/checkout", "order_as_guest", input__contact="lin@example.com")
    cancelled = await guest.send(ordered.headers["location"], "cancel_guest_order")
    assert cancelled.status_code == 303, text_of(cancelled)
    assert "Your order was called off." in text_of(await guest.get(cancelled.headers["location"]))
    # And one that he has paid
    await put_in(guest)
    path = (await guest.send("/checkout", "order_as_guest", input__contact="lin@example.com")).headers[
        "location"
    ]
    order = await shop.kernel.db.fetchrow(
        "select id, number from fulfilment_order where state <> 'CANCELLED'"
    )
    assert order is not None
    await shop.kernel.services.get(Payments).paid(order["id"], Money(950, "CNY"), "manual", "T-2")
    # When its card does not work
    empty = await guest.send(path, "open_guest_ticket", input__evidence=" ")
    assert empty.status_code == 422
    told = await guest.send(path, "open_guest_ticket", input__evidence="It says: used already")
    assert told.status_code == 303, text_of(told)
    page = text_of(await guest.get(path))
    assert "It says: used already" in page
    assert "Being looked at" in page
    # And he becomes a member
    await guest.send(
        f"/register?next={path}",
        "register",
        input__email="lin@example.com",
        input__displayName="",
        input__password=PASSWORD,
    )
    claimed = await guest.send(path, "claim_guest_order")
    # Then the order is in his account
    assert (claimed.status_code, claimed.headers["location"]) == (303, f"/orders/{order['number']}"), text_of(
        claimed
    )
    own = (await guest.get(claimed.headers["location"])).text
    assert any(code in own for code in SECRETS)
    # And not a guest's any more
    assert (await guest.get(path)).status_code == 404


async def test_a_look_up_that_fails_says_the_same_whatever_is_wrong(shop: Shop) -> None:
    guest = shop.open()
    await put_in(guest)
    await guest.send("/checkout", "order_as_guest", input__contact="lin@example.com")
    number = await shop.kernel.db.fetchval("select number from fulfilment_order")
    told = set()
    for given, contact in ((number, "eve@example.com"), ("7QK2M9XVD4T8C", "lin@example.com"), ("x", "y")):
        answer = await guest.send("/look-up", "look_up_order", input__number=given, input__contact=contact)
        assert answer.status_code == 422
        told.add(re.search(r'<div class="form-errors".*?</div>', answer.text, re.DOTALL)[0])  # type: ignore[index]  # there is one
    assert len(told) == 1
    # And so does a made-up secret
    told.clear()
    for given, secret in ((number, "sxyz"), ("7QK2M9XVD4T8C", "sxyz"), ("x", "y")):
        answer = await shop.open().send(
            "/open-order", "open_guest_order", input__number=given, input__secret=secret
        )
        assert answer.status_code == 422
        assert secret not in answer.text or len(secret) == 1
        told.add(re.search(r'<div class="form-errors".*?</div>', answer.text, re.DOTALL)[0])  # type: ignore[index]  # there is one
    assert len(told) == 1
    assert (await shop.open().get(f"/guest-orders/{number}")).status_code == 404


async def test_a_cart_tells_what_did_not_come_along_after_a_log_in(shop: Shop) -> None:
    # Given a member with three pieces in his cart, of which one order may hold four, and a browser with three more
    member = await shop.member("lin@example.com")
    await put_in(member, 3)
    await shop.kernel.db.execute("update catalog_variant set max_quantity = 4")
    browser = shop.open()
    await put_in(browser, 3)
    # When he logs in there
    await browser.send("/login", "log_in", input__email="lin@example.com", input__password=PASSWORD)
    # Then the cart says what was left out, until he has seen it
    assert "× 2 (more than one order may hold)" in text_of(await browser.get("/cart"))
    seen = await browser.send("/cart", "dismiss_left_out")
    assert seen.status_code == 303, text_of(seen)
    assert "more than one order may hold" not in text_of(await browser.get("/cart"))
