"""The frame of the back office and its first page: navigation by permission, light and dark, the figures of today."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

from kameng.ids import new_id
from kameng_analytics.counting import count_orders
from kameng_fulfilment.contract import OrderCompleted, SoldLine
from tests.themes.conftest import Shop, text_of
from tests.themes.office import ask, colleague


def sold(at: datetime, total: int, quantity: int = 1) -> OrderCompleted:
    line = SoldLine(
        line=str(new_id()),
        variant=str(new_id()),
        product=str(new_id()),
        sku="PLUM-10",
        quantity=quantity,
        total_minor=total,
        cost_minor=total - 100,
    )
    return OrderCompleted(
        order=str(new_id()),
        number="N",
        member=str(new_id()),
        total_minor=total,
        currency="CNY",
        completed_at=at.isoformat(),
        lines=(line,),
    )


async def test_everybody_sees_what_he_may_and_nothing_else(shop: Shop) -> None:
    office = await shop.first_administrator()
    clerk = await colleague(shop, office, "analytics.read_figures", "catalog.read_products")

    all_of_it = (await office.get("/admin")).text
    some = (await clerk.get("/admin")).text

    groups = re.findall(r'<p class="side-group">([^<]+)</p>', all_of_it)
    assert {"Today", "Sales", "Catalogue", "Money", "People"} <= set(groups)
    assert '<a href="/admin/orders"' in all_of_it
    own = re.findall(r'<p class="side-group">([^<]+)</p>', some)
    assert {"Today", "Catalogue"} <= set(own)
    assert {"Sales", "People"}.isdisjoint(own)
    assert '<a href="/admin/orders"' not in some
    assert 'data-orders="false" data-products="true" data-members="false"' in some
    # and of what needs a person only the stock
    assert set(re.findall(r'data-count="([a-z]+)"', some)) == {"low"}
    assert {"stuck", "tickets", "low", "cases", "transfers"} <= set(
        re.findall(r'data-count="([a-z]+)"', all_of_it)
    )


async def test_light_and_dark_are_remembered(shop: Shop) -> None:
    office = await shop.first_administrator()

    assert "data-scheme=" not in (await office.get("/admin")).text.split("<head>")[0]
    dark = await office.get("/admin/products?scheme=dark")
    assert '<html lang="en" data-scheme="dark">' in dark.text
    assert '<meta name="color-scheme" content="dark">' in dark.text
    again = await office.get("/admin")
    assert '<html lang="en" data-scheme="dark">' in again.text
    assert '<a href="/admin?scheme=dark" data-scheme-choice="dark" aria-current="true"' in again.text
    back = await office.get("/admin?scheme=auto")
    assert '<html lang="en">' in back.text
    assert '<html lang="en">' in (await office.get("/admin")).text


async def test_the_palette_finds_products_members_and_orders(shop: Shop) -> None:
    await shop.member("lin@example.com")
    office = await shop.first_administrator()
    page = (await office.get("/admin")).text
    document = re.search(r'data-document="([^"]+)"', page)
    assert document

    found = await ask(office, unescape(document[1]), text="plum", products=True, members=True)
    people = await ask(office, unescape(document[1]), text="lin@", products=False, members=True)

    assert found["products"]["nodes"] == [{"slug": "plum", "title": "Plum card"}]
    assert [member["email"] for member in people["members"]["nodes"]] == ["lin@example.com"]
    assert "products" not in people


async def test_the_dashboard_tells_of_today_yesterday_and_the_hours(shop: Shop) -> None:
    office = await shop.first_administrator()
    now = datetime.now(UTC)
    async with shop.kernel.db.transaction():
        await count_orders(
            shop.kernel, [sold(now, 1500, 3), sold(now, 500), sold(now - timedelta(days=3), 700)]
        )

    page = await office.get("/admin")
    told = text_of(page)

    assert "Turnover CN¥20.00" in told
    assert "Units 4" in told
    assert "CN¥27.00 in 3 orders, 5 units" in told
    assert len(re.findall(r"<td data-heat=", page.text)) == 168
    assert len(re.findall(r'<td data-heat="4"', page.text)) == 1
    assert "PLUM-10" in told
    part = await office.http.get("/admin", headers={"kameng-block": "figures"})
    assert "Turnover CN¥20.00" in text_of(part)
    assert "<html" not in part.text
