"""Paying from outside through pages, without scripts: by a code, on the provider's page, by a transfer, or not at all."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import msgspec
import pytest_asyncio

from kameng.themes.qr import qr_svg
from kameng_fulfilment.online.taking import take_payment
from kameng_settlement.contract import PaymentSucceeded
from tests.settlement.conftest import Books
from tests.settlement.payments.conftest import Bank, Till, bank, bank_installed
from tests.themes.conftest import ORIGIN, SECRETS, Browser, Shop, text_of
from tests.themes.test_cart import put_in

__all__ = ["bank", "bank_installed"]


@pytest_asyncio.fixture(loop_scope="session")
async def till(shop: Shop, bank: Bank) -> Till:
    """The shop's payments, at a bank that runs."""
    return Till(Books(shop.kernel), bank)


async def paid(till: Till, account: Any) -> None:
    """The payer pays at the bank, the bank tells, and the order takes it in."""
    number = await till.kernel.db.fetchval(
        "select number from settlement_payment_attempt order by started_at desc limit 1"
    )
    await till.tell(account, await till.bank.pay(number))
    payload = await till.kernel.db.fetchval(
        "select payload from kernel_outbox where topic = 'settlement.payment_succeeded' order by id desc limit 1"
    )
    await take_payment(till.kernel, msgspec.json.decode(payload, type=PaymentSucceeded))


async def start(browser: Browser, page: str, flow: str) -> httpx.Response:
    """Choose a way to pay, as pressing its button does."""
    text = (await browser.get(page)).text
    forms = [form for form in text.split("<form")[1:] if f'value="{flow}"' in form]
    assert forms, text
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', forms[0]))
    return await browser.http.post(f"{page}?_form=start_payment", data=fields, headers={"origin": ORIGIN})


async def test_a_member_orders_scans_a_code_and_finds_what_he_bought(shop: Shop, till: Till) -> None:
    # Given a member without money, a bank that takes some, and something in the cart
    account = await till.account()
    lin = await shop.member("lin@example.com")
    await put_in(lin)
    checkout = await lin.get("/checkout")
    assert "Not enough for this order. Top up The bank The goods are kept for you" in text_of(checkout)
    assert re.search(r'name="input.payment" value="OUTSIDE" checked', checkout.text)

    # When he orders, goes on to pay and chooses the code
    ordered = await lin.send("/checkout", "order_cart", input__payment="OUTSIDE")
    assert ordered.status_code == 303, text_of(ordered)
    order_page = ordered.headers["location"]
    waiting = await lin.get(order_page)
    assert "Please pay CN¥9.50" in text_of(waiting)
    assert not any(secret in waiting.text for secret in SECRETS)
    begun = await lin.send(order_page, "pay_order")
    assert begun.status_code == 303, text_of(begun)
    pay_page = begun.headers["location"]
    assert re.fullmatch(r"/pay/[0-9A-Za-z-]{20,}", pay_page)
    assert "The bank Scan a code with your phone" in text_of(await lin.get(pay_page))
    chosen = await start(lin, pay_page, "QR")
    assert (chosen.status_code, chosen.headers["location"]) == (303, pay_page), text_of(chosen)

    # Then the page shows the bank's code and until when, and offers the other way
    shown = await lin.get(pay_page)
    number = await shop.kernel.db.fetchval("select number from settlement_payment_attempt")
    assert str(qr_svg(f"bank://{number}", "The code to scan")) in shown.text
    assert "Pay until" in text_of(shown)
    assert "Take another way" in text_of(shown)
    assert shown.headers["cache-control"] == "private, no-store"
    # and asked for alone, the part that changes is that part alone
    part = await lin.http.get(pay_page, headers={"kameng-block": "payment"})
    assert part.headers["kameng-block"] == "payment"
    assert "<html" not in part.text
    assert "Waiting for your payment." in part.text

    # When the bank has the money
    await paid(till, account)

    # Then both pages say so, for good, and the code is there, to be taken along
    done = await lin.get(pay_page)
    assert "We have your payment" in text_of(done)
    assert "data-final" in done.text
    order = await lin.get(order_page)
    assert sum(secret in order.text for secret in SECRETS) == 1
    assert 'data-download="csv"' in order.text
    assert '<dd class="hideable"><code class="secret">' in order.text
    # and nobody else sees any of it
    eve = await shop.member("eve@example.com")
    assert (await eve.get(pay_page)).status_code == 404


async def test_a_guest_pays_on_the_providers_page(shop: Shop, till: Till) -> None:
    # Given a guest with an order
    account = await till.account()
    guest = shop.open()
    await put_in(guest)
    assert "The bank You choose how to pay on the next page" in text_of(await guest.get("/checkout"))
    ordered = await guest.send("/checkout", "order_as_guest", input__contact="lin@example.com")
    order_page = ordered.headers["location"]

    # When he goes on to pay there
    pay_page = (await guest.send(order_page, "pay_guest_order")).headers["location"]
    assert (await start(guest, pay_page, "REDIRECT")).status_code == 303

    # Then the page leads there, with what the provider wants to be told; other sites get no forms of ours
    address = {"redirect_url": "https://bank.test/pay", "form": {"no": "7", "sign": "a&b c"}}
    db = shop.kernel.db
    await db.execute("update settlement_payment_attempt set answer = $1", json.dumps(address))
    leads = '<a class="button wide-button" href="{}" rel="noreferrer">Pay CN¥9.50 there</a>'
    there = "https://bank.test/pay?no=7&amp;sign=a%26b+c"
    assert leads.format(there) in (await guest.get(pay_page)).text
    # and nowhere else than to a provider
    address = {"redirect_url": "javascript:alert(1)"}
    await db.execute("update settlement_payment_attempt set answer = $1", json.dumps(address))
    assert "javascript:" not in (await guest.get(pay_page)).text

    await paid(till, account)
    assert "We have your payment" in text_of(await guest.get(pay_page))
    shown = (await guest.get(order_page)).text
    assert sum(secret in shown for secret in SECRETS) == 1


async def test_a_payment_that_is_over_says_so_and_what_to_do(shop: Shop, till: Till) -> None:
    await till.account()
    lin = await shop.member("lin@example.com")
    await put_in(lin)
    order_page = (await lin.send("/checkout", "order_cart", input__payment="OUTSIDE")).headers["location"]
    pay_page = (await lin.send(order_page, "pay_order")).headers["location"]
    db = shop.kernel.db

    # Too late to begin
    await db.execute("update settlement_payment set expires_at = now() - interval '1 minute'")
    late = await start(lin, pay_page, "QR")
    assert late.status_code == 422
    assert "This payment was paid, is too old or was closed. Look at your order." in text_of(late)
    # and what each end looks like
    for state, words in (
        ("EXPIRED", "The time to pay is over"),
        ("CLOSED", "This payment is closed"),
        ("FAILED", "The payment did not succeed"),
    ):
        await db.execute("update settlement_payment set state = $1", state)
        page = text_of(await lin.get(pay_page))
        assert words in page
        assert "Have you paid already? Wait a few minutes" in page

    # When he calls the order off
    called_off = await lin.send(order_page, "cancel_order")
    assert (called_off.status_code, called_off.headers["location"]) == (303, order_page), text_of(called_off)
    page = text_of(await lin.get(order_page))
    assert "It was called off. Nothing is owed." in page
    assert "Buy it again" in page
    assert (await lin.get("/pay/7QK2M9XVD4T8C")).status_code == 404


async def test_a_transfer_is_shown_with_a_picture_of_it(shop: Shop, till: Till) -> None:
    # Given a shop that takes transfers
    await till.account(
        gateway="manual", code="transfer", settings={"instructions": "Bank of Plums, account 4711"}
    )
    lin = await shop.member("lin@example.com")
    await put_in(lin)
    order_page = (await lin.send("/checkout", "order_cart", input__payment="OUTSIDE")).headers["location"]
    pay_page = (await lin.send(order_page, "pay_order")).headers["location"]
    assert (await start(lin, pay_page, "MANUAL")).status_code == 303
    page = await lin.get(pay_page)
    assert "Bank of Plums, account 4711" in text_of(page)

    async def show(content: bytes) -> httpx.Response:
        form = next(form for form in page.text.split("<form")[1:] if "add_transfer_proof" in form)
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
        return await lin.http.post(
            f"{pay_page}?_form=add_transfer_proof",
            data=fields,
            files=[("input.file", ("transfer.png", content, "image/png"))],
            headers={"origin": ORIGIN},
        )

    # When he sends something that is no picture, then one that is
    refused = await show(b"no picture at all")
    assert refused.status_code == 422
    kept = await show(b"\x89PNG\r\n\x1a\n" + bytes(64))

    # Then the one is refused at its field, the other kept
    assert 'id="field-input-file-error"' in refused.text
    assert (kept.status_code, kept.headers["location"]) == (303, pay_page), text_of(kept)
    assert "We have it, and look at it." in text_of(await lin.get(pay_page))
    assert await shop.kernel.db.fetchval("select count(*) from settlement_transfer_proof") == 1


async def test_a_price_that_changed_is_told_before_anything_is_paid(shop: Shop) -> None:
    lin = await shop.member("lin@example.com")
    await shop.credit(await shop.first_administrator(), "lin@example.com", "100.00")
    await put_in(lin)
    fields = dict(
        re.findall(
            r'name="([^"]+)" value="([^"]*)"',
            next(
                form for form in (await lin.get("/checkout")).text.split("<form")[1:] if "order_cart" in form
            ),
        )
    )
    await shop.kernel.db.execute("update catalog_price set units = 99000")

    sent = {**fields, "input.payment": "WALLET"}
    refused = await lin.http.post("/checkout?_form=order_cart", data=sent, headers={"origin": ORIGIN})

    assert refused.status_code == 422
    text = text_of(refused)
    assert "The total on this page is the new one. Look at it, and order if you agree." in text
    assert "Order and pay CN¥9.90" in text
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_order") == 0


async def test_a_card_that_does_not_work_is_complained_about_on_the_orders_page(shop: Shop) -> None:
    lin = await shop.member("lin@example.com")
    await shop.credit(await shop.first_administrator(), "lin@example.com", "100.00")
    await put_in(lin)
    order_page = (await lin.send("/checkout", "order_cart", input__payment="WALLET")).headers["location"]
    page = text_of(await lin.get(order_page))
    assert "You can complain within 7 days of the delivery." in page

    complained = await lin.send(order_page, "open_ticket", input__evidence="The site says it is used.")
    assert (complained.status_code, complained.headers["location"]) == (303, order_page), text_of(complained)
    page = text_of(await lin.get(order_page))
    assert "The site says it is used." in page
    assert "Being looked at" in page
    assert "It does not work" not in page

    taken_back = await lin.send(order_page, "withdraw_ticket")
    assert taken_back.status_code == 303, text_of(taken_back)
    assert "Taken back" in text_of(await lin.get(order_page))
