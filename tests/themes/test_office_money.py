"""Payments, books, reconciliation, reports, people and settings in the back office; each journey of their pages once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest

from kameng.ids import global_id, new_id
from kameng.money import Money
from kameng_settlement.gateway_contract import Flow
from kameng_settlement.payments.desk import PaymentDraft
from kameng_settlement.payments.opening import open_payment
from kameng_settlement.payments.records import StoredPayment
from kameng_settlement.payments.starting import Choice, start
from tests.themes.conftest import ORIGIN, PASSWORD, Browser, Shop, text_of

PAGES = {
    "/admin/payments": ("Payments", "支付"),
    "/admin/transfers": ("Transfers to confirm", "待确认转账"),
    "/admin/payment-evidence": ("What does not fit", "异常通知"),
    "/admin/gateways": ("Merchant accounts", "商户账户"),
    "/admin/gateways/new/wechat": ("New merchant account", "新建商户账户"),
    "/admin/top-ups": ("Bonuses on top-ups", "充值赠送"),
    "/admin/gift-cards": ("Gift cards", "礼品卡"),
    "/admin/ledger": ("Ledger", "账本"),
    "/admin/ledger/journal": ("Journal", "流水"),
    "/admin/ledger/holds": ("Holds", "冻结"),
    "/admin/ledger/days": ("Days and checks", "封存与检查"),
    "/admin/reconciliation": ("Reconciliation", "对账"),
    "/admin/reconciliation/bills": ("Bills", "对账单"),
    "/admin/reconciliation/cases": ("Cases", "差异"),
    "/admin/reports": ("Reports", "报表"),
    "/admin/reports/facts?since=2026-01-01&until=2026-12-31": ("Orders and entries", "订单与凭证"),
    "/admin/reports/days": ("Closing days", "营业日关账"),
    "/admin/staff": ("Staff", "员工"),
    "/admin/roles": ("Roles", "角色"),
    "/admin/roles/new": ("New role", "新建角色"),
    "/admin/log-ins": ("Log-ins", "登录日志"),
    "/admin/settings": ("Settings", "设置"),
}


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_shows_in_both_languages(shop: Shop, locale: str) -> None:
    office = await shop.first_administrator(locale)

    wrong = {}
    for path, titles in PAGES.items():
        answer = await office.get(path)
        title = f"<title>{titles[locale != 'en']} · Kameng</title>"
        if answer.status_code != 200 or title not in answer.text:
            wrong[path] = (answer.status_code, text_of(answer)[:200])

    assert wrong == {}


async def colleague(shop: Shop, office: Browser, email: str, *permissions: str) -> Browser:
    """A browser of somebody who was invited, with a role of these permissions."""
    name = email.partition("@")[0]
    values = [("input.permissions", each) for each in permissions]
    page = await office.get("/admin/roles/new")
    fields = [*hidden(page.text, "save_role"), ("input.name", name), ("input.titleZh", name)]
    made = await post(office, page.text, "save_role", [*fields, ("input.titleEn", name.title()), *values])
    assert made.status_code == 303, text_of(made)
    role = made.headers["location"].removeprefix("/admin/roles/")
    invited = await office.send(
        "/admin/staff", "create_staff", input__name=name, input__email=email, input__roleIds=role
    )
    assert invited.status_code == 200, text_of(invited)
    link = re.search(r"https://shop\.test(/admin/invitation\?token=[^<\s]+)", invited.text)
    assert link, text_of(invited)
    browser = shop.open()
    entered = await browser.send(link[1], "accept_invitation", input__password=PASSWORD + " too")
    assert entered.status_code == 303, text_of(entered)
    return browser


def hidden(text: str, form: str) -> list[tuple[str, str]]:
    """The hidden fields of a form, but lists that it empties."""
    [body] = re.findall(rf'<form[^>]*_form={form}"[^>]*>(.*?)</form>', text, re.DOTALL)[:1]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', body)
    return [(name, value) for name, value in found if value]


async def post(browser: Browser, text: str, form: str, fields: list[tuple[str, str]]) -> httpx.Response:
    """Send a form with several values of one name."""
    [action] = re.findall(rf'action="([^"]*_form={form})"', text)[:1]
    body = urlencode(fields)
    headers = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    return await browser.http.post(action.replace("&amp;", "&"), content=body, headers=headers)


async def waiting_transfer(shop: Shop, minor: int = 5000) -> StoredPayment:
    """A payment that somebody has begun to pay by a transfer."""
    payment = await open_payment(
        shop.kernel,
        PaymentDraft(
            key=f"test:{new_id()}",
            purpose="top_up",
            subject=new_id(),
            payer=new_id(),
            amount=Money(minor, "CNY"),
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            memo="T-1",
        ),
    )
    await start(shop.kernel, payment, Choice(gateway="manual", flow=Flow.MANUAL))
    return payment


async def test_an_account_is_made_by_its_form_and_two_persons_confirm_a_transfer(shop: Shop) -> None:
    office = await shop.first_administrator()
    new = "/admin/gateways/new/manual"

    empty = await office.send(new, "save_merchant_account", **account_of_bank(""))
    made = await office.send(new, "save_merchant_account", **account_of_bank("ICBC 6222 0000"))
    assert empty.status_code == 422
    assert "Please look at these points:" in text_of(empty)
    assert made.status_code == 303, text_of(made)
    page = made.headers["location"]
    assert (await office.send(page, "set_merchant_account_enabled")).status_code == 303
    kept = await office.get(page)
    assert "ICBC 6222 0000" in kept.text
    assert "Enabled" in text_of(kept)

    payment = await waiting_transfer(shop)
    second = await colleague(
        shop, office, "bo@example.com", "settlement.read_payments", "settlement.confirm_transfers"
    )
    queue = text_of(await second.get("/admin/transfers"))
    assert payment.number[:10] in queue
    assert "Nobody yet" in queue
    seen = {"input__amount__amount": "50.00", "input__reference": "B-77"}
    path = f"/admin/payments/{payment.number}"

    first = await second.send(path, "confirm_transfer", **seen)
    alone = await second.send(path, "confirm_transfer", **seen)
    assert first.status_code == 303, text_of(first)
    assert alone.status_code == 422
    assert "a second person is needed" in text_of(alone)
    done = await office.send(path, "confirm_transfer", **seen)
    assert done.status_code == 303, text_of(done)
    after = text_of(await office.get(path))
    assert "Seen by people Paid B-77 CN¥50.00" in after
    found = text_of(await office.get("/admin/payments?filter.search=T-1&filter.state=PAID"))
    assert payment.number[:10] in found
    assert "No payments were found." in text_of(await office.get("/admin/payments?filter.search=T-2"))


def account_of_bank(instructions: str) -> dict[str, str]:
    """What somebody fills in for an account that people transfer to."""
    return {
        "input.name": "The bank",
        "input.code": "icbc",
        "input.merchant": "6222",
        "input.currencies": "CNY",
        "input.values[0].value": instructions,
    }


async def test_who_may_see_payments_alone_sees_nothing_else_of_the_money(shop: Shop) -> None:
    office = await shop.first_administrator()
    cashier = await colleague(shop, office, "cy@example.com", "settlement.read_payments")

    shown = await cashier.get("/admin/payments")
    assert shown.status_code == 200
    assert "/admin/ledger" not in shown.text
    assert "/admin/reports" not in shown.text
    for path in (
        "/admin/ledger",
        "/admin/reconciliation",
        "/admin/reports",
        "/admin/staff",
        "/admin/settings",
    ):
        assert (await cashier.get(path)).status_code == 403, path
    assert "Add an account" not in text_of(await cashier.get("/admin/gateways"))


async def test_gift_cards_are_made_shown_after_ones_password_and_voided(shop: Shop) -> None:
    office = await shop.first_administrator()
    made = await office.send(
        "/admin/gift-cards",
        "make_gift_cards",
        input__name="Fair",
        input__amount__amount="50.00",
        input__count="2",
    )
    assert made.status_code == 303, text_of(made)
    page = made.headers["location"]

    asked = await office.send(page, "reveal_gift_cards", reason="printed for the fair")
    assert asked.status_code == 422
    assert "Prove first that it is you." in text_of(asked)
    proved = await post(
        office,
        asked.text,
        "confirm_password",
        [*hidden(asked.text, "confirm_password"), ("input.password", PASSWORD)],
    )
    assert proved.status_code == 303, text_of(proved)
    shown = await office.send(page, "reveal_gift_cards", reason="printed for the fair")
    codes = re.findall(r"<li><code>([0-9A-Z-]{19,})</code></li>", shown.text)
    assert (shown.status_code, len(codes)) == (200, 2), text_of(shown)
    voided = await office.send(page, "void_gift_cards", reason="the fair is off")
    assert voided.status_code == 303
    assert "Still good 0" in text_of(await office.get(page))


async def test_an_entry_is_found_in_the_books_and_booked_back_once(shop: Shop) -> None:
    await shop.member("lin@example.com")
    office = await shop.first_administrator()
    await shop.credit(office, "lin@example.com", "100.00")

    books = text_of(await office.get("/admin/ledger"))
    assert "Balanced" in books
    assert "Member's wallet 1 CN¥0.00 CN¥100.00 CN¥100.00" in books
    journal = await office.get("/admin/ledger/journal?kind=manual_credit")
    entry = re.search(r'href="(/admin/ledger/transactions/[^"]+)"', journal.text)
    assert entry, text_of(journal)
    account = text_of(await office.get("/admin/ledger/accounts/operator_funds/CNY"))
    assert "Balance now CN¥100.00" in account
    silent = await office.send(entry[1], "reverse_transaction", input__reason=" ")
    back = await office.send(entry[1], "reverse_transaction", input__reason="typed wrong")

    assert silent.status_code == 422
    assert back.status_code == 303, text_of(back)
    assert "Books back The entry before" in text_of(await office.get(back.headers["location"]))
    assert "_form=reverse_transaction" not in (await office.get(entry[1])).text
    assert "Member's wallet 1 CN¥100.00 CN¥100.00 CN¥0.00" in text_of(await office.get("/admin/ledger"))


async def test_a_member_is_noted_logged_out_and_blocked_with_a_reason(shop: Shop) -> None:
    lin = await shop.member("lin@example.com")
    office = await shop.first_administrator()
    found = re.search(r'href="(/admin/members/[^"?]+)"', (await office.get("/admin/members")).text)
    assert found
    page = found[1]

    assert (await office.send(page, "add_member_note", input__text="<b>Calls</b> early")).status_code == 303
    assert (await office.send(page, "end_member_sessions", input__reason="phone lost")).status_code == 303
    silent = await office.send(page, "block_member", input__reason="")
    blocked = await office.send(page, "block_member", input__reason="card fraud")
    after = await office.get(page)

    assert "&lt;b&gt;Calls&lt;/b&gt; early" in after.text
    assert "Devices logged in 0" in text_of(after)
    assert silent.status_code == 422
    assert blocked.status_code == 303, text_of(blocked)
    assert "Blocked" in text_of(after)
    assert (await lin.get("/account/orders")).status_code == 303


async def test_staff_is_logged_out_shut_out_and_its_role_changed(shop: Shop) -> None:
    office = await shop.first_administrator()
    bo = await colleague(shop, office, "bo@example.com", "membership.read_members")
    assert (await bo.get("/admin/members")).status_code == 200
    key = await shop.kernel.db.fetchval("select id from membership_staff where email = 'bo@example.com'")
    page = f"/admin/staff/{global_id('StaffMember', key)}"

    assert "bo" in text_of(await office.get("/admin/log-ins?open=true"))
    out = await office.send(page, "end_staff_sessions")
    assert out.status_code == 303, text_of(out)
    assert (await bo.get("/admin/members")).status_code == 303
    assert "Logged in" not in text_of(await office.get(page)).partition("Roles")[0]
    shut = await office.send(page, "set_staff_enabled")
    assert shut.status_code == 303
    assert "Disabled" in text_of(await office.get(page))
    matrix = text_of(await office.get("/admin/roles"))
    assert "See members No Yes" in matrix or "See members Yes Yes" in matrix


async def test_a_day_that_is_not_over_is_not_closed(shop: Shop) -> None:
    office = await shop.first_administrator()
    today = datetime.now(UTC).date() + timedelta(days=1)

    refused = await office.send("/admin/reports/days", "close_report_day", input__day=str(today))
    compared = await office.get("/admin/reports/days?compare=true&from=2026-01-01&to=2026-01-31")

    assert refused.status_code == 422
    assert "can be closed five minutes after that" in text_of(refused)
    assert "They agree on all of these days." in text_of(compared)


async def test_settings_show_where_they_come_from_and_no_secret(shop: Shop) -> None:
    office = await shop.first_administrator()

    text = text_of(await office.get("/admin/settings"))

    assert "[kameng] Engine" in text
    assert "public_url how browsers reach us" in text
    assert f'"{ORIGIN}"' in text
    assert "KAMENG_SETTLEMENT__CURRENCY" in text
    database = shop.kernel.settings.engine.database_url
    password = re.search(r"://[^:]+:([^@]+)@", database)
    assert password is None or password[1] not in text
