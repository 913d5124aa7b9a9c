"""The back office: set up by the one-time link, then figures, members, orders, products, stock, ledger, staff."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from PIL import Image

from kameng.auth.first_administrator import FirstAdministrator
from kameng.ids import global_id
from tests.themes.conftest import ORIGIN, PASSWORD, Shop, text_of

PAGES = {
    "/admin": ("Dashboard", "概览"),
    "/admin/orders": ("Orders", "订单"),
    "/admin/members": ("Members", "会员"),
    "/admin/products": ("Products", "商品"),
    "/admin/stock": ("Stock", "库存"),
    "/admin/ledger": ("Ledger", "账本"),
    "/admin/staff": ("Staff", "员工"),
    "/admin/password": ("Change password", "修改密码"),
}


async def test_the_one_time_link_makes_the_first_administrator_once(shop: Shop) -> None:
    link = await shop.kernel.services.get(FirstAdministrator).link()
    assert link
    path = link.removeprefix(ORIGIN)
    fields = {"input__name": "Ada", "input__email": "ada@example.com", "input__password": PASSWORD}

    first = await shop.open().send(path, "set_up", **fields)
    second = await shop.open("zh-CN").send(path, "set_up", **{**fields, "input__email": "eve@example.com"})

    assert (first.status_code, first.headers["location"]) == (303, "/admin")
    assert second.status_code == 422
    assert "链接已被使用或已过期，请重新获取。" in text_of(second)
    assert await shop.kernel.db.fetchval("select count(*) from membership_staff") == 1


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_shows_in_both_languages(shop: Shop, locale: str) -> None:
    office = await shop.first_administrator(locale)

    for path, titles in PAGES.items():
        answer = await office.get(path)
        assert answer.status_code == 200, f"{path}: {text_of(answer)}"
        assert f"<title>{titles[locale != 'en']} · Kameng</title>" in answer.text
        assert f'<html lang="{locale}">' in answer.text


async def test_nobody_else_sees_the_back_office(shop: Shop) -> None:
    lin = await shop.member("lin@example.com")

    for path in PAGES:
        answer = await lin.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/admin/login?next=")


async def test_a_credit_without_a_reason_or_amount_is_refused_at_the_form(shop: Shop) -> None:
    await shop.member("lin@example.com")
    office = await shop.first_administrator()

    refused = await shop.credit(office, "lin@example.com", "ten")

    assert refused.status_code == 422
    assert "Give a number, such as 98.50." in text_of(refused)
    assert 'value="ten"' in refused.text
    assert 'value="bank transfer 7"' in refused.text


async def test_an_order_and_its_product_can_be_looked_at(shop: Shop) -> None:
    lin = await shop.member("lin@example.com")
    office = await shop.first_administrator()
    await shop.credit(office, "lin@example.com", "100.00")
    bought = await lin.send("/products/plum", "place_order", **{"input.lines[0].quantity": "2"})
    number = bought.headers["location"].removeprefix("/orders/")

    order = await office.get(f"/admin/orders/{number}")
    listed = text_of(await office.get("/admin/orders?filter.state=COMPLETED"))
    stock = text_of(await office.get("/admin/stock?sku=PLUM-10"))

    assert order.status_code == 200
    assert "CN¥19.00" in text_of(order)
    assert "PLUM-10" in text_of(order)
    assert not any(word in order.text for word in ("AAAA-1111", "BBBB-2222", "CCCC-3333"))
    assert number in listed
    assert "PLUM-10 Plum card · Ten For sale 1" in stock


async def test_a_price_is_changed_and_a_product_taken_from_sale(shop: Shop) -> None:
    office = await shop.first_administrator()

    changed = await office.send("/admin/products/plum", "set_price", input__unit__amount="9.20")
    assert changed.status_code == 303, text_of(changed)
    assert "CN¥9.20" in text_of(await shop.open().get("/products/plum"))

    archived = await office.send("/admin/products/plum", "archive_product")
    assert archived.status_code == 303, text_of(archived)
    assert (await shop.open().get("/products/plum")).status_code == 404


async def test_a_products_form_is_made_changed_and_taken_away(shop: Shop) -> None:
    office = await shop.first_administrator()
    page = "/admin/products/plum/form"

    # A first field, of which only the new row tells
    made = await office.send(
        page,
        "set_product_form",
        **{
            "input.fields[0].name": "account",
            "input.fields[0].kind": "TEXT",
            "input.fields[0].labels[0].locale": "en",
            "input.fields[0].labels[0].text": "Game account",
        },
    )
    assert made.status_code == 303, text_of(made)
    assert "Game account" in text_of(await shop.open().get("/products/plum"))

    # a second one, a choice; the first stays as the page shows it
    second = {
        "input.fields[0].kind": "TEXT",
        "input.fields[1].name": "region",
        "input.fields[1].kind": "CHOICE",
        "input.fields[1].labels[0].locale": "en",
        "input.fields[1].labels[0].text": "Region",
        "input.fields[1].choices[0].value": "eu",
        "input.fields[1].choices[0].labels[0].locale": "en",
        "input.fields[1].choices[0].labels[0].text": "Europe",
    }
    added = await office.send(page, "set_product_form", **second)
    assert added.status_code == 303, text_of(added)
    shown = text_of(await shop.open().get("/products/plum"))
    assert "Game account" in shown
    assert "Europe" in shown

    # one that cannot be is told at its field
    refused = await office.send(page, "set_product_form", **{"input.fields[2].name": "no name"})
    assert refused.status_code == 422


async def test_a_picture_is_uploaded_and_shown_by_the_shop(shop: Shop) -> None:
    office = await shop.first_administrator()
    file = BytesIO()
    Image.new("RGB", (400, 300), "plum").save(file, "PNG")
    key = await shop.kernel.db.fetchval("select id from catalog_product where slug = 'plum'")
    document = """mutation ($input: AddProductMediaInput!) {
        addProductMedia(input: $input) { product { media { url thumbnails { url } } } errors { message } } }"""
    values = {"product": global_id("Product", key), "file": None}

    answer = await office.http.post(
        "/graphql/admin",
        data={
            "operations": json.dumps({"query": document, "variables": {"input": values}}),
            "map": json.dumps({"0": ["variables.input.file"]}),
        },
        files={"0": ("plum.png", file.getvalue(), "image/png")},
        headers={"origin": ORIGIN, "kameng-preflight": "1"},
    )

    payload = answer.json()["data"]["addProductMedia"]
    assert payload["errors"] == []
    (media,) = payload["product"]["media"]
    page = await shop.open().get("/products/plum")
    assert media["thumbnails"][0]["url"] in page.text
    assert (await shop.open().get(media["url"])).headers["content-type"] == "image/png"
    assert (await shop.open().get(f"/media/{'0' * 64}.png")).status_code == 404
