"""A member's own pages, without scripts: orders, wallet, security, recipients, notifications, data."""

from __future__ import annotations

import io
import json
import re
import zipfile

from kameng.tasks import drain
from tests.themes.conftest import PASSWORD, SECRETS, Browser, Shop, text_of

QUANTITY = "input.lines[0].quantity"


async def rich(shop: Shop, office: Browser, email: str) -> Browser:
    """A member with 100 yuan."""
    member = await shop.member(email)
    await shop.credit(office, email, "100.00")
    return member


def rows(text: str) -> list[str]:
    """The rows of a page's table, each as its text."""
    return [
        " ".join(re.sub(r"<[^>]+>", " ", row).split())
        for row in re.findall(r"<tr>(.*?)</tr>", text, flags=re.DOTALL)
    ]


async def orders_are_found_by_state_and_number_and_the_filter_keeps_what_was_typed(
    shop: Shop, office: Browser
) -> None:
    lin = await rich(shop, office, "lin0@example.com")
    number = (
        (await lin.send("/products/plum", "place_order", **{QUANTITY: "1"}))
        .headers["location"]
        .split("/")[-1]
    )

    delivered = await lin.get("/account/orders?state=COMPLETED&number=")
    waiting = await lin.get(f"/account/orders?state=PENDING_PAYMENT&number={number[:6]}")

    assert number in text_of(delivered)
    assert '<option value="COMPLETED" selected>' in delivered.text
    assert "No order of yours is like that." in text_of(waiting)
    assert f'value="{number[:6]}"' in waiting.text
    assert number in text_of(await lin.get(f"/account/orders?number={number[:6].lower()}"))


async def the_statement_tells_what_was_there_after_each_entry(shop: Shop, office: Browser) -> None:
    lin = await rich(shop, office, "lin1@example.com")
    await lin.send("/products/plum", "place_order", **{QUANTITY: "2"})

    found = rows((await lin.get("/account/wallet")).text)

    assert [row.split()[-2:] for row in found[1:]] == [["-CN¥19.00", "CN¥81.00"], ["+CN¥100.00", "CN¥100.00"]]
    assert "CN¥81.00" in text_of(await lin.get("/account"))


async def a_top_up_leads_to_its_payment_and_an_impossible_one_is_told_at_its_field(
    shop: Shop, office: Browser
) -> None:
    lin = await shop.member("lin2@example.com")

    begun = await lin.send("/account/wallet", "top_up", input__amount__amount="50")
    refused = await lin.send("/account/wallet", "top_up", input__amount__amount="0.10")

    assert begun.status_code == 303
    number = await shop.kernel.db.fetchval("select number from settlement_payment where amount_minor = 5000")
    assert begun.headers["location"] == f"/pay/{number}"
    assert refused.status_code == 422
    assert 'value="0.10"' in refused.text
    assert "A top-up is 1.00 to 50000.00 CNY." in text_of(refused)


async def a_wrong_gift_card_is_refused_in_words_of_the_page(shop: Shop, office: Browser) -> None:
    lin = await shop.member("lin3@example.com", "zh-CN")

    refused = await lin.send("/account/wallet", "redeem_gift_card", input__code="AAAA-BBBB-CCCC-DDDD")

    assert refused.status_code == 422
    assert "没有这张礼品卡，或已被使用。请核对卡面后重试。" in text_of(refused)


async def devices_are_listed_and_logged_out(shop: Shop, office: Browser) -> None:
    lin = await shop.member("lin4@example.com")
    others = [shop.open(), shop.open()]
    for other in others:
        await other.send("/login", "log_in", input__email="lin4@example.com", input__password=PASSWORD)
    assert text_of(await lin.get("/account/security")).count("This device") == 1

    one = await lin.send("/account/security", "end_session")
    assert (one.status_code, one.headers["location"]) == (303, "/account/security")
    assert "That device is logged out." in text_of(await lin.get("/account/security"))
    assert sorted([(await other.get("/account")).status_code for other in others]) == [200, 303]

    await lin.send("/account/security", "end_other_sessions")
    page = text_of(await lin.get("/account/security"))
    assert "All other devices are logged out." in page
    assert "You are logged in nowhere else." in page
    assert [(await other.get("/account")).status_code for other in others] == [303, 303]


async def recipients_are_saved_changed_and_removed(shop: Shop, office: Browser) -> None:
    lin = await shop.member("lin5@example.com")

    wrong = await lin.send("/account/recipients", "save_recipient", input__name="Mum", input__phone="12x")
    assert wrong.status_code == 422
    assert "This is no phone number." in text_of(wrong)
    saved = await lin.send(
        "/account/recipients", "save_recipient", input__name="Mum", input__phone="138 0013 8000"
    )
    assert saved.status_code == 303
    page = await lin.get("/account/recipients")
    assert "Mum 13800138000" in text_of(page)

    change = re.search(r'href="(/account/recipients/[^"]+)"', page.text)
    assert change
    await lin.send(change[1], "change_recipient", input__name="Mother", input__phone="13900139000")
    page = await lin.get("/account/recipients")
    assert "It is saved." in text_of(page)
    assert "Mother 13900139000" in text_of(page)
    assert (await (await shop.member("eve5@example.com")).get(change[1])).status_code == 404

    await lin.send("/account/recipients", "remove_recipient")
    assert "You have not saved anybody yet." in text_of(await lin.get("/account/recipients"))


async def a_product_offers_saved_recipients_and_fills_its_form_from_them(shop: Shop, office: Browser) -> None:
    form = '[{"name": "phone", "kind": "phone", "labels": {"en": "Phone", "zh-CN": "手机"}}]'
    await shop.kernel.db.execute("update catalog_product set form = $1::jsonb where slug = 'plum'", form)
    lin = await shop.member("lin6@example.com")
    await lin.send("/account/recipients", "save_recipient", input__name="Mum", input__phone="13800138000")

    page = await lin.get("/products/plum")
    link = re.search(r'href="(/products/plum\?recipient=[^"]+)"', page.text)
    assert link
    chosen = await lin.get(link[1])

    assert 'value="13800138000"' not in page.text
    assert 'value="13800138000"' in chosen.text
    assert "Mum" not in text_of(await shop.open().get("/products/plum"))


async def what_one_is_told_is_chosen(shop: Shop, office: Browser) -> None:
    lin = await shop.member("lin7@example.com")
    page = await lin.get("/account/notifications")
    if "set_notification_preference" not in page.text:
        assert "This shop sends nothing that you could choose." in text_of(page)
        return
    assert (await lin.send("/account/notifications", "set_notification_preference")).status_code == 303
    assert "Your choice is kept." in text_of(await lin.get("/account/notifications"))
    assert not await shop.kernel.db.fetchval("select bool_and(enabled) from notify_preference")


async def a_copy_of_ones_data_is_made_and_fetched_by_its_owner_alone(shop: Shop, office: Browser) -> None:
    lin = await rich(shop, office, "lin8@example.com")
    await lin.send("/products/plum", "place_order", **{QUANTITY: "1"})

    asked = await lin.send("/account/data", "request_data_export")
    assert asked.status_code == 303
    assert "Being made" in text_of(await lin.get("/account/data"))
    await drain(shop.kernel)
    path = re.search(r'href="(/data-exports/[^"]+)"', (await lin.get("/account/data")).text)
    assert path
    file = await lin.get(path[1])

    assert (file.status_code, file.headers["content-type"]) == (200, "application/zip")
    assert file.headers["cache-control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        found = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert found["profile.json"][0]["email"] == "lin8@example.com"
    assert [order["lines"][0]["sku"] for order in found["orders.json"]] == ["PLUM-10"]
    assert [line["amount"] for line in found["wallet.json"]] == ["-9.50", "100.00"]
    assert not any(secret in json.dumps(found) for secret in SECRETS)
    eve = await shop.member("eve8@example.com")
    assert [(await browser.get(path[1])).status_code for browser in (eve, shop.open())] == [404, 401]


async def erasure_is_asked_for_taken_back_and_done_by_the_staff_once_nothing_is_owed(
    shop: Shop, office: Browser
) -> None:
    lin = await rich(shop, office, "lin9@example.com")
    wrong = await lin.send("/account/data/erase", "request_erasure", password="not this one")
    assert wrong.status_code == 422
    assert "not this one" not in wrong.text
    assert "your wallet holds CN¥100.00" in text_of(wrong)
    for _ in range(2):
        await lin.send("/account/data/erase", "request_erasure", password=PASSWORD)
        assert "You asked for it on" in text_of(await lin.get("/account/data"))
        if _ == 0:
            await lin.send("/account/data", "withdraw_erasure")
            assert "Your account stays as it is." in text_of(await lin.get("/account/data"))

    # The wallet holds money, so nothing is erased yet
    held = await office.send("/admin/erasure-requests", "erase_member")
    assert held.status_code == 422
    assert "The wallet holds 100.00 CNY." in text_of(held)
    refused = await office.send(
        "/admin/erasure-requests", "refuse_erasure", input__answer="Spend your money first."
    )
    assert refused.status_code == 303, text_of(refused)
    assert "Spend your money first." in text_of(await lin.get("/account/data"))

    # Somebody without money is erased, and is nobody from then on
    eve = await shop.member("eve9@example.com")
    await eve.send("/account/data/erase", "request_erasure", password=PASSWORD)
    done = await office.send("/admin/erasure-requests", "erase_member")
    assert done.status_code == 303, text_of(done)
    assert (await eve.get("/account")).status_code == 303
    again = await shop.open().send(
        "/login", "log_in", input__email="eve9@example.com", input__password=PASSWORD
    )
    assert again.status_code == 422


async def complaints_are_followed_and_taken_back(shop: Shop, office: Browser) -> None:
    lin = await rich(shop, office, "lin10@example.com")
    empty = text_of(await lin.get("/account/tickets"))
    assert "You have not complained about anything." in empty
    order = (await lin.send("/products/plum", "place_order", **{QUANTITY: "1"})).headers["location"]
    await lin.send(order, "open_ticket", input__evidence="It says: used already")

    page = text_of(await lin.get("/account/tickets"))
    assert f"Order {order.split('/')[-1]}" in page
    assert "It says: used already" in page
    assert "Being looked at" in page

    await lin.send("/account/tickets", "withdraw_own_ticket")
    assert "Taken back" in text_of(await lin.get("/account/tickets"))


async def test_what_a_member_has_bought_and_what_is_kept_about_him(shop: Shop) -> None:
    # Journeys of different members in one shop, whose three cards they buy
    office = await shop.first_administrator()
    await orders_are_found_by_state_and_number_and_the_filter_keeps_what_was_typed(shop, office)
    await a_copy_of_ones_data_is_made_and_fetched_by_its_owner_alone(shop, office)
    await erasure_is_asked_for_taken_back_and_done_by_the_staff_once_nothing_is_owed(shop, office)
    await complaints_are_followed_and_taken_back(shop, office)


async def test_a_members_money_devices_and_recipients(shop: Shop) -> None:
    office = await shop.first_administrator()
    await the_statement_tells_what_was_there_after_each_entry(shop, office)
    await a_top_up_leads_to_its_payment_and_an_impossible_one_is_told_at_its_field(shop, office)
    await a_wrong_gift_card_is_refused_in_words_of_the_page(shop, office)
    await devices_are_listed_and_logged_out(shop, office)
    await recipients_are_saved_changed_and_removed(shop, office)
    await a_product_offers_saved_recipients_and_fills_its_form_from_them(shop, office)
    await what_one_is_told_is_chosen(shop, office)
