"""The storefront's pages: both languages, search, errors, and what they weigh."""

from __future__ import annotations

import gzip
import re

import httpx
import pytest

from kameng.themes import check_theme
from kameng_catalog.importing import product_lines
from kameng_catalog.importing.product_import import import_products
from kameng_catalog.importing.sheets import text_sheet
from tests.themes.conftest import OWNER, PRODUCTS, Shop, text_of

PAGES = {
    "/": ("Cards, top-ups and licences", "点卡、充值与授权"),
    "/products": ("Products", "商品"),
    "/products?search=plum": ("Products", "商品"),
    "/category?path=game": ("Games", "游戏"),
    "/category?path=game%2Fpc": ("PC", "电脑"),
    "/products/plum": ("Plum card", "李子卡"),
    "/login": ("Log in", "登录"),
    "/register": ("Become a member", "注册会员"),
    "/forgotten-password": ("Forgotten password", "找回密码"),
    "/reset-password?token=x": ("New password", "新密码"),
}
MEMBER_PAGES = {
    "/account": ("Your account", "我的账户"),
    "/account/orders": ("Your orders", "我的订单"),
    "/account/wallet": ("Your wallet", "我的钱包"),
    "/account/password": ("Change password", "修改密码"),
}


@pytest.mark.parametrize("theme", ["storefront", "admin"])
async def test_the_check_finds_nothing(shop: Shop, theme: str) -> None:
    # Missing translations, weak contrast and heavy assets are among what it looks for.
    assert [str(finding) for finding in check_theme(theme, shop.kernel)] == []


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_every_page_shows_in_both_languages(shop: Shop, locale: str) -> None:
    member = await shop.member("lin@example.com", locale)

    for browser, pages in ((shop.open(locale), PAGES), (member, MEMBER_PAGES)):
        for path, titles in pages.items():
            answer = await browser.get(path)
            assert answer.status_code == 200, f"{path}: {text_of(answer)}"
            title = re.search(r"<title>(.*?)</title>", answer.text)
            assert title
            assert titles[locale != "en"] in title[1]
            assert f'<html lang="{locale}">' in answer.text


async def test_a_chinese_page_holds_no_english_sentence(shop: Shop) -> None:
    # Names of goods and people apart, words of Latin letters are those of the shop's name and of addresses.
    text = text_of(await shop.open("zh-CN").get("/products/plum"))

    left = set(re.findall(r"[A-Za-z]{2,}", text)) - {"Kameng", "English", "Steam", "US"}

    assert left == set()


async def test_a_page_that_is_still_the_same_keeps_the_policy_that_it_came_with(shop: Shop) -> None:
    # Given a page in a browser, whose scripts and styles bear the nonce of its policy
    browser = shop.open("en")
    page = await browser.get("/products")
    tag = page.headers["etag"]

    # When the browser asks whether it has changed
    again = await browser.http.get("/products", headers={"if-none-match": tag})

    # Then no header of the answer puts another policy in its place
    assert again.status_code == 304
    assert "content-security-policy" not in again.headers


async def test_the_language_can_be_chosen_and_is_remembered(shop: Shop) -> None:
    browser = shop.open("en")

    assert "Plum card" in text_of(await browser.get("/products/plum"))
    assert "李子卡" in text_of(await browser.get("/products/plum?lang=zh-CN"))
    assert "李子卡" in text_of(await browser.get("/products/plum"))


async def test_search_finds_what_there_is_and_says_so_when_there_is_nothing(shop: Shop) -> None:
    browser = shop.open()

    assert "Plum card" in text_of(await browser.get("/products?search=plum"))
    assert "Nothing was found." in text_of(await browser.get("/products?search=cherry"))


async def test_products_are_sorted_by_price_and_chosen_by_it_without_a_script(shop: Shop) -> None:
    # Given products from 9.50 and from 20, and a form that says what it was sent with
    pear = "PEAR-1,pear,梨卡,Pear card,一,One,game/pc,游戏/电脑,Games/PC,card,1,CNY,20,1,CNY,说明,Text,,published\n"
    sheet = text_sheet(PRODUCTS.partition("\n")[0] + "\n" + pear, product_lines.COLUMNS)
    await import_products(shop.kernel, sheet, principal=OWNER)
    browser = shop.open()

    async def shown(address: str) -> list[str]:
        return re.findall(r"(Plum|Pear) card", text_of(await browser.get(address)))

    assert await shown("/products?sort=PRICE_ASC") == ["Plum", "Pear"]
    assert await shown("/products?sort=PRICE_DESC") == ["Pear", "Plum"]
    assert await shown("/category?path=game&price.from=10&price.to=") == ["Pear"]
    assert await shown("/products?price.from=&price.to=9.50") == ["Plum"]
    assert await shown("/products?price.from=x") == ["Plum", "Pear"]
    text = (await browser.get("/products?sort=PRICE_DESC&price.from=9.5")).text
    assert '<option value="PRICE_DESC" selected>' in text
    assert 'name="price.from" value="9.5"' in text


@pytest.mark.parametrize("path", ["/nowhere", "/products/nothing", "/category?path=none", "/orders/NONE"])
async def test_what_is_not_there_is_told_in_the_shops_own_frame(shop: Shop, path: str) -> None:
    member = await shop.member("lin@example.com")

    answer = await member.get(path)

    assert answer.status_code == 404
    assert "This page does not exist" in text_of(answer)
    assert '<nav class="tabs"' in answer.text


async def test_a_form_from_elsewhere_is_refused_with_a_page(shop: Shop) -> None:
    browser = shop.open()

    answer = await browser.http.post("/login?_form=log_in", data={"input.email": "a@b.c"})

    assert answer.status_code == 403
    assert "This form did not come from this site" in text_of(answer)


async def test_a_wrong_password_is_told_and_not_put_back(shop: Shop) -> None:
    await shop.member("lin@example.com")

    answer = await shop.open("zh-CN").send(
        "/login", "log_in", input__email="lin@example.com", input__password="wrong wrong wrong"
    )

    assert answer.status_code == 422
    assert "邮箱或密码错误。" in text_of(answer)
    assert 'value="lin@example.com"' in answer.text
    assert "wrong wrong" not in answer.text


@pytest.mark.parametrize("path", ["/", "/products/plum", "/login"])
async def test_a_page_with_all_that_it_loads_stays_below_sixty_kilobytes(shop: Shop, path: str) -> None:
    browser = shop.open()

    page = await browser.get(path)
    loaded = await _loaded(browser.http, page.text)
    weight = len(gzip.compress(page.content)) + sum(loaded.values())

    assert {name.rpartition(".")[2] for name in loaded} == {"css", "js", "svg"}
    assert weight < 60_000, loaded


async def _loaded(http: httpx.AsyncClient, text: str) -> dict[str, int]:
    """Bytes of the assets that a page leads to, imported ones included, compressed."""
    found: dict[str, int] = {}
    waiting = re.findall(r'"(/assets/[^"]+)"', text)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        answer = await http.get(path)
        assert answer.status_code == 200, path
        found[path] = len(gzip.compress(answer.content))
        folder = path.rpartition("/")[0]
        if path.endswith((".css", ".js")):
            names = re.findall(r'(?:@import|from|import)\s*(?:url\()?"([^"]+)"', answer.text)
            waiting += [str(httpx.URL(f"http://x{folder}/").join(name).path) for name in names]
    return found


async def test_a_product_shows_what_it_states_and_search_engines_read_its_own_words(shop: Shop) -> None:
    db = shop.kernel.db
    await db.execute(
        """
        insert into catalog_attribute (id, category, code, kind, titles, unit, position)
        select gen_random_uuid(), id, 'size', 'number', '{"en": "Size"}', 'GB', 0 from catalog_category
        """
    )
    await db.execute(
        """
        update catalog_product set attributes = '{"size": ["16"]}', seo = '{"en": {"description": "Plums at once"}}'
        where slug = 'plum'
        """
    )
    page = await shop.open().get("/products/plum")
    assert "Size 16 GB" in text_of(page)
    assert '<meta name="description" content="Plums at once">' in page.text
