"""Buying in a browser."""

from __future__ import annotations

import re
from typing import Any

from .shop import Shop

FROM_STOCK = """
select p.slug, v.id from catalog_product p join catalog_variant v on v.product = p.id
where p.status = 'published' and p.form is null
    and (select count(*) from (select from catalog_free_card c where c.variant = v.id limit 10) c) = 10
order by p.lowest_units, p.slug limit 1
"""


async def product_from_stock(shop: Shop) -> str:
    """The slug of a product whose cards are in stock and that asks for nothing."""
    found: str = await shop.server.kernel.db.fetchval(FROM_STOCK)
    return found


async def order_as_guest(page: Any, shop: Shop, slug: str, contact: str) -> str:
    """Put one into the cart and order it; the order's number. Its page stands open then."""
    await page.goto(f"{shop.url}/products/{slug}")
    await page.click("form.buy button[formaction]")
    await page.wait_for_url("**/cart")
    await page.goto(f"{shop.url}/checkout")
    await page.fill('[name="input.contact"]', contact)
    await page.click('form[action*="_form=order_as_guest"] button.wide-button')
    await page.wait_for_url(re.compile(r"/(guest-orders|pay)/"))
    address = str(page.url)
    if "/pay/" in address:  # a shop may lead straight to the payment
        await page.click('a[href*="/guest-orders/"]')
        await page.wait_for_url("**/guest-orders/*")
        address = str(page.url)
    return address.rpartition("/")[2].partition("?")[0]
