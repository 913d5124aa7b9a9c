"""What people come for, from the first click to the last, on a phone and at a desk, with scripts and without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kameng_gateways.calling import LOOPBACK
from tests.gateways.cases import CASES, Simulated
from tests.gateways.shops import Shop as Merchant

from .buying import FROM_STOCK, order_as_guest, product_from_stock
from .looking import DESKTOP, PHONE
from .shop import WAIT, Shop

SIZES = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])


@asynccontextmanager
async def opened(browser: Any, size: tuple[int, int], *, scripts: bool = True) -> AsyncIterator[Any]:
    """A page of somebody who was never here, in this size."""
    width, height = size
    context = await browser.new_context(
        locale="en",
        viewport={"width": width, "height": height},
        is_mobile=size == PHONE,
        has_touch=size == PHONE,
        java_script_enabled=scripts,
        accept_downloads=True,
    )
    context.set_default_timeout(WAIT)
    page = await context.new_page()
    try:
        yield page
    except BaseException:
        print(f"{page.url} shows:\n{(await page.inner_text('body'))[:3000]}")
        raise
    finally:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def slug(shop: Shop) -> str:
    """A product whose cards are in stock and that asks for nothing."""
    return await product_from_stock(shop)


@pytest.fixture(scope="session")
def wechat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """A WeChat Pay that somebody else runs."""
    simulated = Simulated("wechat", tmp_path_factory.mktemp("simulator"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOOPBACK, "1")
        yield simulated
    simulated.stop()


async def state_of(shop: Shop, number: str) -> str:
    """An order's state."""
    found: str = await shop.server.kernel.db.fetchval(
        "select state from fulfilment_order where number = $1", number
    )
    return found


@SIZES
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_member_buys_from_the_wallet_and_sees_the_delivery(
    browser: Any, shop: Shop, slug: str, size: tuple[int, int], *, scripts: bool
) -> None:
    async with opened(browser, size, scripts=scripts) as page:
        # Given a member
        await shop.log_in(page)
        # When they find a product by its shelf and buy it
        await page.goto(f"{shop.url}/products")
        await page.goto(f"{shop.url}/products/{slug}")
        await page.click("form.buy button:not([formaction]):not([type=button])")
        await page.wait_for_url("**/orders/*")
        # Then the code is on the order's page, hidden until it is asked for
        number = str(page.url).rpartition("/")[2].partition("?")[0]
        assert await state_of(shop, number) == "COMPLETED"
        codes = page.locator(".code .secret")
        assert await codes.count() == 1
        if scripts:
            await page.locator("[data-copy]:visible").first.wait_for()
        await page.locator("[data-reveal]").check()
        assert len((await codes.first.inner_text()).strip()) >= 4
        # and the order stands among the others
        await page.goto(f"{shop.url}/account/orders")
        assert await page.locator(f'a[href*="{number}"]').count() >= 1


@SIZES
async def test_a_guest_finds_an_order_again(
    browser: Any, shop: Shop, slug: str, size: tuple[int, int]
) -> None:
    contact = f"guest{size[0]}@example.com"
    async with opened(browser, size) as page:
        number = await order_as_guest(page, shop, slug, contact)
        assert await state_of(shop, number) == "PENDING_PAYMENT"
    # When somebody at another machine looks it up, without scripts
    async with opened(browser, size, scripts=False) as page:
        await page.goto(f"{shop.url}/look-up")
        await page.fill('[name="input.number"]', number)
        await page.fill('form[action*="_form=look_up_order"] [name="input.contact"]', "other@example.com")
        await page.click('form[action*="_form=look_up_order"] button')
        assert await page.locator('[role="alert"]').count() >= 1
        await page.fill('form[action*="_form=look_up_order"] [name="input.contact"]', contact)
        await page.click('form[action*="_form=look_up_order"] button')
        await page.wait_for_url("**/guest-orders/*")
        # Then it is shown, without what only its secret opens
        assert number in await page.locator("h1").inner_text()
        assert await page.locator('form[action*="_form=pay_guest_order"]').count() == 0


@SIZES
async def test_a_guest_pays_by_a_code_and_the_delivery_appears(
    browser: Any, shop: Shop, slug: str, wechat: Simulated, size: tuple[int, int]
) -> None:
    # Given a shop that takes WeChat Pay
    case = next(case for case in CASES if case.name == "wechat")
    kernel = shop.server.kernel
    if not await kernel.db.fetchval("select true from settlement_merchant_account where gateway = 'wechat'"):
        with kernel.db.in_use():
            await Merchant(kernel).account(case, wechat)
    async with opened(browser, size) as page:
        # When a guest orders, and chooses it
        number = await order_as_guest(page, shop, slug, f"payer{size[0]}@example.com")
        await page.click('form[action*="_form=pay_guest_order"] button')
        await page.wait_for_url("**/pay/*")
        way = page.locator('form:has([value="wechat"]):has([value="QR"]) button')
        if await way.count():
            await way.click()
        # Then a code is shown
        await page.locator(".qr-box svg").wait_for()
        # and when it is paid, the page says so by itself
        attempt = await kernel.db.fetchval(
            "select number from settlement_payment_attempt where flow = 'qr' order by id desc limit 1"
        )
        await asyncio.to_thread(wechat.control, "pay", number=attempt, notify={"times": 2})
        await page.locator(".outcome-good").wait_for()
        await page.click(".outcome-good a.button")
        await page.wait_for_url("**/guest-orders/*")
        await page.locator(".code .secret").first.wait_for(state="attached")
        assert await state_of(shop, number) == "COMPLETED"


@SIZES
async def test_an_operator_imports_ten_thousand_cards(
    browser: Any, shop: Shop, tmp_path: Path, size: tuple[int, int]
) -> None:
    # Given a file of 10,000 cards, one of them twice
    kernel = shop.server.kernel
    row = await kernel.db.fetchrow(FROM_STOCK)
    sku = await kernel.db.fetchval("select sku from catalog_variant where id = $1", row["id"])
    count = "select count(*) from catalog_free_card where variant = $1"
    before = await kernel.db.fetchval(count, row["id"])
    lines = [f"{sku},JOURNEY-{size[0]}-{number:05}" for number in range(10_000)]
    file = tmp_path / "cards.csv"
    file.write_text("sku,secret\n" + "\n".join([*lines, lines[0]]) + "\n", "utf-8")
    async with opened(browser, size) as page:
        await shop.log_in(page, staff=True)
        # When it is uploaded, then the first answer is what would happen
        await page.goto(f"{shop.url}/admin/imports?kind=cards")
        await page.set_input_files('input[type="file"]', str(file))
        await page.click('form[enctype="multipart/form-data"] button:not([type="button"])')
        await page.wait_for_url("**/admin/jobs/*")
        await page.locator("[data-final] .figures").wait_for()
        assert await kernel.db.fetchval(count, row["id"]) == before
        # When it is confirmed, the cards are there, and the line that was there twice is told
        await page.click('form[action*="_form=confirm_job"] button')
        await page.wait_for_load_state()
        await page.locator("[data-final] .figures").wait_for()
        assert await kernel.db.fetchval(count, row["id"]) == before + 10_000
        # and all of it can be undone
        await page.click('form[action*="_form=roll_back_job"] button')
        await page.click('#confirm[open] [value="yes"]')
        for _ in range(600):
            if await kernel.db.fetchval(count, row["id"]) == before:
                break
            await asyncio.sleep(0.1)
        assert await kernel.db.fetchval(count, row["id"]) == before


@SIZES
async def test_an_operator_refunds_an_order(
    browser: Any, shop: Shop, slug: str, size: tuple[int, int]
) -> None:
    kernel = shop.server.kernel
    async with opened(browser, size) as page:
        # Given an order that was delivered
        await shop.log_in(page)
        await page.goto(f"{shop.url}/products/{slug}")
        await page.click("form.buy button:not([formaction]):not([type=button])")
        await page.wait_for_url("**/orders/*")
        number = str(page.url).rpartition("/")[2].partition("?")[0]
        # When an operator finds it by its number, looks at what a refund does, and agrees
        await shop.log_in(page, staff=True)
        await page.goto(f"{shop.url}/admin/orders?search={number}")
        await page.goto(f"{shop.url}/admin/orders/{number}")
        await page.click(f'a[href*="/admin/orders/{number}/refund"]')
        await page.wait_for_url("**/refund*")
        await page.fill('[name="input.reason"]', "does not work")
        await page.click('form[action*="_form=refund_order"] button.danger')
        await page.click('#confirm[open] [value="yes"]')
        await page.wait_for_url(f"**/admin/orders/{number}*")
        # Then all of it went back
        total, refunded, state = await kernel.db.fetchrow(
            "select total_minor, refunded_minor, state from fulfilment_order where number = $1", number
        )
        assert (refunded, state) == (total, "REFUNDED")


async def test_an_operator_makes_a_child_theme_live(browser: Any, shop: Shop) -> None:
    async with opened(browser, DESKTOP) as page, opened(browser, PHONE) as visitor:
        await visitor.goto(shop.url)
        before = await visitor.evaluate(
            "getComputedStyle(document.documentElement).getPropertyValue('--color-brand')"
        )
        # When an operator chooses it for the shop and looks at it
        await shop.log_in(page, staff=True)
        await page.goto(f"{shop.url}/admin/sites")
        await page.click('table a[href*="/admin/sites/"]')
        await page.wait_for_url("**/admin/sites/*")
        await page.select_option('[name="input.theme"]', "lantern")
        await page.fill('[name="input.brand"]', "#7a1f5c")
        await page.click('form[action*="_form=save_site_draft"] button:not([type="button"])')
        await page.wait_for_load_state()
        # Then visitors see nothing of it
        await visitor.goto(shop.url)
        style = "getComputedStyle(document.documentElement).getPropertyValue('--color-brand')"
        assert await visitor.evaluate(style) == before
        # until it is published
        await page.click('form[action*="_form=publish_site"] button:not([type="button"])')
        await page.wait_for_load_state()
        for _ in range(100):
            await visitor.goto(shop.url)
            if await visitor.evaluate(style) != before:
                break
            await asyncio.sleep(0.1)
        assert await visitor.evaluate(style) != before
        assert await visitor.locator("text=The lights are on day and night").count() == 1
