"""Finding things in the storefront without scripts: the first page, filters, what a product says, and what machines read."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from kameng.graphql import Context
from kameng.ids import global_id, new_id
from tests.themes.conftest import ORIGIN, OWNER, PRODUCTS, Browser, Shop, text_of
from tests.themes.test_storefront import _loaded as loaded

PEAR = (
    "PEAR-1,pear,梨卡,Pear card,一,One,game/pc,游戏/电脑,Games/PC,card,1,CNY,20,1,CNY,说明,Text,,published\n"
    "FIG-1,fig,无花果卡,Fig card,一,One,game/mobile,游戏/手机,Games/Mobile,card,1,CNY,5,1,CNY,说明,Text,,published\n"
)


async def office(shop: Shop, name: str, fields: str, **values: Any) -> Any:
    """Run a mutation of the back office."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    source = (
        f"mutation($input: {kind}!, $key: String!) {{ {name}(input: $input) @idempotent(key: $key)"
        f" {{ {fields} errors {{ code message }} }} }}"
    )
    context = Context(shop.kernel, principal=OWNER, schema="admin", locale="en")
    answer = await shop.kernel.graphql["admin"].execute(
        source, {"input": values, "key": str(new_id())}, context
    )
    assert answer.errors is None, answer.errors
    assert answer.data[name]["errors"] == [], answer.data
    return answer.data[name]


def texts(zh: str, en: str) -> list[dict[str, str]]:
    return [{"locale": "zh-CN", "text": zh}, {"locale": "en", "text": en}]


async def stated(shop: Shop) -> None:
    """Pear and fig beside plum; all but the fig state a region, plum and pear a size."""
    await office(shop, "importProducts", "applied", content=PRODUCTS.partition("\n")[0] + "\n" + PEAR)
    choices = [{"value": one, "labels": texts(one, one.title())} for one in ("cn", "eu", "us")]
    await office(
        shop, "defineAttribute", "category { path }", category="game", code="region", kind="CHOICE",
        titles=texts("区服", "Region"), choices=choices, filterable=True,
    )  # fmt: skip
    await office(
        shop, "defineAttribute", "category { path }", category="game", code="size", kind="NUMBER",
        titles=texts("容量", "Size"), unit="GB", filterable=True, position=1,
    )  # fmt: skip
    for slug, region, size in (("plum", "cn", "8"), ("pear", "eu", "64")):
        key = await shop.kernel.db.fetchval("select id from catalog_product where slug = $1", slug)
        values = [{"code": "region", "values": [region]}, {"code": "size", "values": [size]}]
        await office(
            shop, "setProductAttributes", "product { id }", id=global_id("Product", key), attributes=values
        )


async def shown(browser: Browser, address: str, query: list[tuple[str, str]]) -> list[str]:
    """The products of a list."""
    page = await browser.get(f"{address}?{urlencode(query)}")
    assert page.status_code == 200
    return re.findall(r'<span class="product-name">(\w+) card</span>', page.text)


async def test_a_category_is_filtered_by_what_products_state_and_by_stock(shop: Shop) -> None:
    await stated(shop)
    browser = shop.open()
    here = [("path", "game"), ("sort", "PRICE_ASC")]
    region = [("attributes[0].code", "region")]
    size = [("attributes[1].code", "size")]

    # Nothing is ticked: the form sends the codes all the same
    assert await shown(browser, "/category", [*here, *region, *size]) == ["Fig", "Plum", "Pear"]
    # one value, several, a range, and both
    assert await shown(browser, "/category", [*here, *region, ("attributes[0].anyOf", "eu")]) == ["Pear"]
    several = [*region, ("attributes[0].anyOf", "cn"), ("attributes[0].anyOf", "eu")]
    assert await shown(browser, "/category", [*here, *several]) == ["Plum", "Pear"]
    ranged = [*size, ("attributes[1].from", "9"), ("attributes[1].to", "")]
    assert await shown(browser, "/category", [*here, *several, *ranged]) == ["Pear"]
    # what is in stock, in the whole shop too
    assert await shown(browser, "/category", [*here, ("inStock", "true")]) == ["Plum"]
    assert await shown(browser, "/products", [("inStock", "true")]) == ["Plum"]

    # The page shows what was asked for, and the way back
    page = await browser.get(f"/category?{urlencode([*here, *several, *ranged])}")
    ticked = re.findall(r'name="attributes\[0\]\.anyOf" value="(\w+)" data-submit checked', page.text)
    assert ticked == ["cn", "eu"]
    assert re.search(r'name="attributes\[1\]\.from" value="9"', page.text)
    assert '<a class="button quiet small" href="/category?path=game">Without filters</a>' in page.text
    # and where nothing is left, what to do
    nothing = await browser.get(f"/category?{urlencode([*here, *region, ('attributes[0].anyOf', 'us')])}")
    assert "Nothing was found. Take filters off" in text_of(nothing)
    lost = await browser.get("/products?search=cherry")
    assert "Use fewer or shorter words" in text_of(lost)


async def test_the_first_page_has_flash_sales_best_sellers_and_what_is_new(shop: Shop) -> None:
    await stated(shop)
    now = datetime.now(UTC)
    await shop.kernel.db.execute("update catalog_product set popularity = 5 where slug = 'pear'")
    await shop.kernel.db.execute(
        """
        insert into fulfilment_flash_sale (id, variant, holds_from, opens_at, closes_at, quantity, per_buyer, sold,
            created_by, created_at)
        select $1, id, $2, $2, $3, 5, 1, 2, 'test', now() from catalog_variant where sku = 'PLUM-10'
        """,
        new_id(),
        now - timedelta(minutes=1),
        now + timedelta(hours=1),
    )
    browser = shop.open()

    page = await browser.get("/")

    text = text_of(page)
    assert "Plum card Ten CN¥9.50 Ends in" in text.partition("Flash sales")[2]
    assert "3 left" in text
    assert re.search(r"<time datetime=\"[^\"]+\" data-countdown>", page.text)
    best, new = page.text.split('id="popular"')[1].split('id="newest"')
    assert re.findall(r'<span class="product-name">(\w+) card</span>', best)[0] == "Pear"
    assert len(re.findall(r'<span class="product-name">', new)) == 3
    assert "3 of 5 left" in text_of(await browser.get("/products/plum"))


async def test_a_product_says_why_it_costs_what_it_costs_how_it_comes_and_what_if_not(shop: Shop) -> None:
    db = shop.kernel.db
    await db.execute(
        """
        insert into catalog_price (id, variant, tier, currency, min_quantity, units)
        select gen_random_uuid(), id, 'retail', 'CNY', 2, 90000 from catalog_variant where sku = 'PLUM-10'
        """
    )
    page = text_of(await shop.open().get("/products/plum"))
    assert "Why this price? Ten The price for everybody: CN¥9.50" in page
    assert "Choice From For one Ten from 1 pieces CN¥9.50 Ten from 2 pieces CN¥9.00" in page
    assert "At once From stock" in page
    assert "7 days to complain" in page
    # A variant that people deliver says how soon
    await db.execute("update catalog_variant set delivery = 'manual' where sku = 'PLUM-10'")
    assert "Within 120 minutes One of us carries it out" in text_of(await shop.open().get("/products/plum"))


async def test_machines_read_what_a_product_is_and_where_it_is_at_home(shop: Shop) -> None:
    page = (await shop.open().get("/products/plum?lang=en")).text
    found = re.search(r'<script type="application/ld\+json" nonce="[^"]+">(.*?)</script>', page)
    assert found
    product = json.loads(found[1])
    assert (product["@type"], product["name"]) == ("Product", "Plum card")
    assert [(offer["price"], offer["availability"].rpartition("/")[2]) for offer in product["offers"]] == [
        ("9.50", "InStock"),
        ("47.50", "OutOfStock"),
    ]
    assert f'<link rel="canonical" href="{ORIGIN}/products/plum">' in page
    assert f'hreflang="zh-CN" href="{ORIGIN}/products/plum?lang=zh-CN"' in page
    assert f'<meta property="og:url" content="{ORIGIN}/products/plum">' in page
    category = (await shop.open().get("/category?path=game%2Fpc&sort=NEWEST")).text
    assert f'<link rel="canonical" href="{ORIGIN}/category?path=game%2Fpc">' in category
    # A title cannot end the script that it stands in
    titles = '{"en": "</script><b>x</b>"}'
    await shop.kernel.db.execute("update catalog_product set titles = $1 where slug = 'plum'", titles)
    assert "<b>x</b>" not in (await shop.open().get("/products/plum")).text


async def test_crawlers_are_told_where_to_look_and_where_not(shop: Shop) -> None:
    browser = shop.open()
    robots = await browser.get("/robots.txt")
    assert robots.headers["content-type"] == "text/plain; charset=utf-8"
    assert robots.text.splitlines()[0] == "User-agent: *"
    assert f"Sitemap: {ORIGIN}/sitemap.xml" in robots.text.splitlines()
    assert "Disallow: /pay/" in robots.text.splitlines()

    answer = await browser.get("/sitemap.xml")

    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    places = [found.text for found in ElementTree.fromstring(answer.content).iterfind(".//{*}loc")]
    assert places == [
        f"{ORIGIN}{path}"
        for path in ("/", "/products", "/category?path=game", "/category?path=game%2Fpc", "/products/plum")
    ]


async def test_the_search_field_knows_where_to_ask_for_suggestions(shop: Shop) -> None:
    page = (await shop.open().get("/")).text
    document = re.search(r'data-document="(query Suggestions[^"]+)"', page)
    assert document
    answer = await shop.open().http.post(
        "/graphql/shop",
        json={"query": document[1].replace("&#34;", '"'), "variables": {"search": "plu"}},
        headers={"accept-language": "en", "origin": ORIGIN},
    )
    assert answer.json()["data"]["products"]["nodes"] == [
        {"slug": "plum", "title": "Plum card", "category": {"title": "PC"}}
    ]
    assert 'data-address="/products/SLUG"' in page


@pytest.mark.parametrize("path", ["/products", "/cart", "/checkout"])
async def test_pages_on_the_way_to_an_order_stay_below_sixty_kilobytes(shop: Shop, path: str) -> None:
    browser = shop.open()
    if path in ("/cart", "/checkout"):
        await browser.send("/products/plum", "place_order", send_to="add_to_cart")
    page = await browser.get(path)
    weight = len(gzip.compress(page.content)) + sum((await loaded(browser.http, page.text)).values())
    assert weight < 60_000
