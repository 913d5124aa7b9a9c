"""A purchase through forms, without scripts: register, get money, buy, see the card."""

from __future__ import annotations

import re

from tests.themes.conftest import ORIGIN, PASSWORD, SECRETS, Shop, text_of

QUANTITY = "input.lines[0].quantity"


async def test_a_member_with_money_buys_and_sees_the_cards(shop: Shop) -> None:
    # Given a member whose wallet the back office has credited.
    lin = await shop.member("lin@example.com")
    office = await shop.first_administrator()
    credited = await shop.credit(office, "lin@example.com", "100.00")
    assert credited.status_code == 303, text_of(credited)
    assert "CN¥100.00" in text_of(await lin.get("/account"))

    # When it buys two pieces on the product's page.
    bought = await lin.send("/products/plum", "place_order", **{QUANTITY: "2"})

    # Then the order's page shows two cards, the wallet is lighter by the price, and the statement says for what.
    assert bought.status_code == 303, text_of(bought)
    order = await lin.get(bought.headers["location"])
    shown = [secret for secret in SECRETS if f'<code class="secret">{secret}</code>' in order.text]
    assert len(shown) == 2
    assert "Thank you. Your order was paid and delivered." in text_of(order)
    number = bought.headers["location"].removeprefix("/orders/")
    statement = text_of(await lin.get("/account/wallet"))
    assert "CN¥81.00" in statement
    assert "Purchase" in statement
    assert number in statement
    assert number in text_of(await lin.get("/account/orders"))


async def test_what_was_bought_is_nobody_elses_to_see(shop: Shop) -> None:
    lin, eve = await shop.member("lin@example.com"), await shop.member("eve@example.com")
    await shop.credit(await shop.first_administrator(), "lin@example.com", "100.00")
    path = (await lin.send("/products/plum", "place_order", **{QUANTITY: "3"})).headers["location"]

    stranger, visitor = await eve.get(path), await shop.open().get(path)

    assert stranger.status_code == 404
    assert not any(secret in stranger.text for secret in SECRETS)
    assert (visitor.status_code, visitor.headers["location"]) == (
        303,
        f"/login?next={path.replace('/', '%2F')}",
    )


async def test_a_visitor_who_buys_is_sent_to_the_log_in_and_back(shop: Shop) -> None:
    await shop.member("lin@example.com")
    visitor = shop.open()

    sent = await visitor.send("/products/plum", "place_order", **{QUANTITY: "1"})
    assert sent.status_code == 303
    login = sent.headers["location"]
    assert login == "/login?next=%2Fproducts%2Fplum"

    back = await visitor.send(login, "log_in", input__email="lin@example.com", input__password=PASSWORD)
    assert (back.status_code, back.headers["location"]) == (303, "/products/plum")


async def test_more_than_there_is_is_refused_in_words_of_the_pages_language(shop: Shop) -> None:
    await shop.member("lin@example.com")
    await shop.credit(await shop.first_administrator(), "lin@example.com", "100.00")
    messages = {
        "en": "There is not enough in stock for this. Choose a smaller quantity, or come back later.",
        "zh-CN": "库存不足，请减少数量或稍后再来。",
    }
    for locale, message in messages.items():
        browser = shop.open(locale)
        await browser.send("/login", "log_in", input__email="lin@example.com", input__password=PASSWORD)

        refused = await browser.send("/products/plum", "place_order", **{QUANTITY: "4"})

        assert refused.status_code == 422
        assert message in text_of(refused)
        assert f'name="{QUANTITY}" type="number"' in refused.text
        assert re.search(r'id="field-input-lines-0-quantity"[^>]*value="4"', refused.text)
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_order") == 0


async def test_too_little_money_leads_to_the_wallet(shop: Shop) -> None:
    lin = await shop.member("lin@example.com", "zh-CN")

    refused = await lin.send("/products/plum", "place_order", **{QUANTITY: "1"})

    assert refused.status_code == 422
    assert "钱包余额不足，请先充值。本次没有扣款。" in text_of(refused)
    assert '<a href="/account/wallet">查看钱包</a>' in refused.text
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_order") == 0


async def test_the_same_form_sent_twice_buys_once(shop: Shop) -> None:
    lin = await shop.member("lin@example.com")
    await shop.credit(await shop.first_administrator(), "lin@example.com", "100.00")
    page = (await lin.get("/products/plum")).text
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
    variant = re.search(r'name="input\.lines\[0\]\.variantId" value="([^"]+)"[^>]*checked', page)
    assert variant
    sent = {**fields, "input.lines[0].variantId": variant[1], QUANTITY: "1"}
    sent.pop("search", None)

    answers = [
        await lin.http.post("/products/plum?_form=place_order", data=sent, headers={"origin": ORIGIN})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_order") == 1


async def test_a_variant_without_stock_cannot_be_chosen(shop: Shop) -> None:
    page = (await shop.open().get("/products/plum")).text

    radios = re.findall(r'<label class="variant([^"]*)">\s*<input[^>]*?(checked|disabled)', page)

    assert radios == [("", "checked"), (" is-out", "disabled")]


async def test_after_the_log_out_the_account_is_closed(shop: Shop) -> None:
    lin = await shop.member("lin@example.com")

    left = await lin.send("/account", "log_out")

    assert (left.status_code, left.headers["location"]) == (303, "/")
    closed = await lin.get("/account")
    assert (closed.status_code, closed.headers["location"]) == (303, "/login?next=%2Faccount")
