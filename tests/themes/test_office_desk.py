"""What the staff works on beside orders: services, flash sales, suppliers, webhooks, notifications, and the audit log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.ids import new_id
from kameng.jobs.running import run_job
from kameng_fulfilment.service_desk.working import open_services
from tests.themes.conftest import Browser, Shop, text_of
from tests.themes.office import colleague

PAGES = {
    "/admin/stuck": ("Stuck orders", "卡住的订单"),
    "/admin/tickets": ("Complaints", "售后工单"),
    "/admin/services": ("Service desk", "人工服务台"),
    "/admin/flash-sales": ("Flash sales", "限时抢购"),
    "/admin/suppliers": ("Suppliers", "供应商"),
    "/admin/supplier-orders": ("Orders at suppliers", "供应商订单"),
    "/admin/webhooks": ("Webhooks", "Webhook"),
    "/admin/webhook-deliveries": ("Deliveries of webhooks", "Webhook 投递记录"),
    "/admin/notifications": ("Notifications", "通知"),
    "/admin/audit": ("Audit log", "审计日志"),
    "/admin/order-actions": ("Several orders", "批量操作"),
}


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_shows_in_both_languages(shop: Shop, locale: str) -> None:
    office = await shop.first_administrator(locale)

    for path, titles in PAGES.items():
        answer = await office.get(path)
        assert answer.status_code == 200, f"{path}: {text_of(answer)}"
        assert f"<title>{titles[locale != 'en']} · Kameng</title>" in answer.text, path
        assert f'href="{path}"' in answer.text or path in (
            "/admin/supplier-orders",
            "/admin/webhook-deliveries",
            "/admin/order-actions",
        )


async def test_who_may_only_read_orders_sees_nothing_that_he_may_not_do(shop: Shop) -> None:
    lin = await shop.member("lin@example.com")
    office = await shop.first_administrator()
    await shop.credit(office, "lin@example.com", "100.00")
    bought = await lin.send("/products/plum", "place_order", **{"input.lines[0].quantity": "1"})
    number = bought.headers["location"].removeprefix("/orders/")
    clerk = await colleague(shop, office, "fulfilment.read_orders")

    order = await clerk.get(f"/admin/orders/{number}")
    orders = await clerk.get("/admin/orders")

    assert (order.status_code, orders.status_code) == (200, 200)
    for word in (
        "Replace a bad card",
        "Prepare a refund",
        "Particulars of the buyer",
        "Add the note",
        "lin@example.com",
    ):
        assert word not in order.text
    assert "Export as CSV" not in orders.text
    assert 'href="/admin/audit"' not in orders.text
    for path in ("/admin/audit", "/admin/suppliers", "/admin/webhooks", f"/admin/orders/{number}/refund"):
        assert (await clerk.get(path)).status_code == 403, path


async def served(shop: Shop) -> tuple[Browser, str]:
    """An office, and the number of a paid order that people deliver."""
    lin = await shop.member("lin@example.com")
    office = await shop.first_administrator()
    await shop.credit(office, "lin@example.com", "100.00")
    await shop.kernel.db.execute(
        "update catalog_variant set delivery = 'manual', stock_kind = 'unlimited' where sku = 'PLUM-10'"
    )
    bought = await lin.send("/products/plum", "place_order", **{"input.lines[0].quantity": "2"})
    assert bought.status_code == 303, text_of(bought)
    await open_services(shop.kernel)
    return office, bought.headers["location"].removeprefix("/orders/")


async def test_a_service_is_taken_given_back_and_delivered(shop: Shop) -> None:
    office, number = await served(shop)
    listed = await office.get("/admin/services")
    assert number in listed.text
    link = re.search(r'href="(/admin/services/[^"]+)"', listed.text)
    assert link
    page = link[1]

    taken = await office.send("/admin/services", "claim_next_service")
    assert (taken.status_code, taken.headers["location"]) == (303, "/admin/services?queue=MINE"), text_of(
        taken
    )
    assert number in (await office.get("/admin/services?queue=MINE")).text
    assert (await office.send(page, "claim_service", send_to="release_service")).status_code == 303
    assert number not in (await office.get("/admin/services?queue=MINE")).text

    assert (await office.send(page, "claim_service")).status_code == 303
    too_many = await office.send(page, "deliver_service", **{"input.quantity": "3", "input.texts": "A"})
    assert too_many.status_code == 422
    done = await office.send(
        page, "deliver_service", **{"input.quantity": "2", "input.texts": "DONE-BY-HAND"}
    )
    assert done.status_code == 303, text_of(done)
    assert number not in (await office.get("/admin/services")).text


async def test_a_flash_sale_is_planned_and_ended(shop: Shop) -> None:
    office = await shop.first_administrator()
    opens = datetime.now(UTC) + timedelta(days=1)
    key = re.search(r'<option value="([^"]+)">PLUM-10 ', (await office.get("/admin/flash-sales")).text)
    assert key
    fields = {
        "input.variantId": key[1],
        "input.opensAt": opens.strftime("%Y-%m-%dT%H:%M"),
        "input.closesAt": (opens + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        "input.quantity": "100",
    }

    planned = await office.send("/admin/flash-sales", "plan_flash_sale", **fields)
    assert planned.status_code == 303, text_of(planned)
    text = text_of(await office.get("/admin/flash-sales"))
    assert "Plum card · Ten PLUM-10 To come" in text
    assert "0 / 100" in text

    ended = await office.send("/admin/flash-sales", "end_flash_sale")
    assert ended.status_code == 303, text_of(ended)
    assert "Over" in text_of(await office.get("/admin/flash-sales"))


async def test_an_endpoint_of_webhooks_is_added_its_secret_seen_and_taken_away(shop: Shop) -> None:
    office = await shop.first_administrator()

    refused = await office.send(
        "/admin/webhooks", "create_webhook_endpoint", **{"input.name": "ERP", "input.url": "http://erp.test/"}
    )
    assert refused.status_code == 422
    made = await office.send(
        "/admin/webhooks",
        "create_webhook_endpoint",
        **{
            "input.name": "ERP",
            "input.url": "https://erp.example.com/hook",
            "input.events": "fulfilment.order_completed",
        },
    )
    assert made.status_code == 303, text_of(made)
    page = made.headers["location"]
    assert "https://erp.example.com/hook" in (await office.get(page)).text

    seen = await office.send(page, "reveal_webhook_secret")
    assert seen.status_code == 200
    assert "whsec_" in seen.text
    assert "whsec_" not in (await office.get(page)).text
    assert (await office.send(page, "rotate_webhook_secret", keepHours="0")).status_code == 303
    assert (await office.send(page, "send_webhook_test")).status_code == 303
    assert "webhooks.test" in (await office.get("/admin/webhook-deliveries")).text
    assert (await office.send(page, "set_webhook_endpoint_enabled")).status_code == 303
    assert "somebody switched it off" in (await office.get(page)).text
    gone = await office.send(page, "delete_webhook_endpoint")
    assert (gone.status_code, gone.headers["location"]) == (303, "/admin/webhooks")
    assert (await office.get(page)).status_code == 404


async def test_dead_notifications_are_tried_again_or_given_up(shop: Shop) -> None:
    office = await shop.first_administrator()
    await shop.kernel.db.execute(
        """insert into notify_message (id, kind, unique_key, channel, locale, hint, sealed, state, attempts, next_at,
               gives_up_at, last_error, created_at)
           values ($1, 'fulfilment.order_completed', 'test:1', 'email', 'en', 'o***@example.com', '\\x00', 'dead', 12, now(),
               now(), 'mailbox full', now())""",
        new_id(),
    )

    dead = await office.get("/admin/notifications?state=DEAD")
    assert "mailbox full" in text_of(dead)
    key = re.search(r'name="ids" value="([^"]+)"', dead.text)
    assert key
    given_up = await office.send(
        "/admin/notifications?state=DEAD", "retry_notifications", send_to="discard_notifications", ids=key[1]
    )
    assert given_up.status_code == 303, text_of(given_up)
    assert "mailbox full" not in text_of(await office.get("/admin/notifications?state=DEAD"))


async def test_the_audit_log_is_searched_checked_and_exported(shop: Shop) -> None:
    office = await shop.first_administrator()
    someone = Principal(kind=PrincipalKind.STAFF, id=new_id())
    await shop.kernel.audit.record(
        "demo.did", principal=someone, subject="thing:7", details={"what": "<i>it</i>"}
    )
    await shop.kernel.audit.chain()

    found = await office.get("/admin/audit?filter.action=demo.&filter.subject=thing:7")
    assert "&lt;i&gt;it&lt;/i&gt;" in found.text
    assert "thing:7" in text_of(found)
    assert "Nothing was found." in text_of(await office.get("/admin/audit?filter.action=demo.other"))
    assert "Nothing was found." in text_of(await office.get("/admin/audit?filter.actor=Ada"))

    assert "Never from here" in text_of(await office.get("/admin/audit"))
    started = await office.send("/admin/audit", "start_audit_verification")
    assert started.status_code == 303, text_of(started)
    job = await shop.kernel.db.fetchval("select id from kernel_job where kind = 'audit.verify'")
    await run_job(shop.kernel, str(job))
    assert "Intact" in text_of(await office.get("/admin/audit"))
    assert (await office.send("/admin/audit?filter.action=demo.", "start_audit_export")).status_code == 303
    assert "demo." in await shop.kernel.db.fetchval(
        "select input::text from kernel_job where kind = 'audit.export'"
    )
