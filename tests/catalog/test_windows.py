"""Products that go on and off sale by themselves: at the second for whoever asks for them, soon after in lists."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from kameng_catalog.contract import NotForSale, Quote, QuoteRequest
from kameng_catalog.windows import apply_windows

from .conftest import Shop
from .listing_model import assert_in_step
from .office import code, product_id, run

PRODUCT = "product { status publishAt unpublishAt }"


async def seen(shop: Shop) -> tuple[bool, bool, bool]:
    """Whether the product is found by its slug, in lists, and by a quote."""
    data = await shop.ask('{ product(slug: "alpha") { id } products { nodes { id } } }')
    (quote,) = await shop.prices.quote([QuoteRequest(variant=await shop.key("A-1"))])
    assert isinstance(quote, Quote | NotForSale)
    (snapshot,) = await shop.variants.snapshots([await shop.key("A-1")])
    assert snapshot is not None
    assert snapshot.published == isinstance(quote, Quote)
    return data["product"] is not None, bool(data["products"]["nodes"]), isinstance(quote, Quote)


async def until(shop: Shop, moment: datetime) -> None:
    while await shop.kernel.db.fetchval("select now() < $1", moment):
        await asyncio.sleep(0.05)


async def plan(shop: Shop, **values: Any) -> Any:
    return await run(shop, "updateProduct", PRODUCT, id=await product_id(shop), **values)


async def test_a_product_goes_on_sale_and_off_again(shop: Shop) -> None:
    # Given a draft with a window that begins in a second and ends two seconds later
    await shop.products()
    await run(shop, "archiveProduct", "product { id }", id=await product_id(shop))
    begins = datetime.now(UTC) + timedelta(seconds=1)
    ends = begins + timedelta(seconds=2)
    answer = await plan(shop, status="DRAFT", publishAt=begins.isoformat(), unpublishAt=ends.isoformat())
    assert answer["errors"] == []
    await apply_windows(shop.kernel)
    assert await seen(shop) == (False, False, False)
    # When it begins, then it can be found and bought at once, and is in lists after the schedule has run
    await until(shop, begins)
    assert await seen(shop) == (True, False, True)
    await apply_windows(shop.kernel)
    assert await seen(shop) == (True, True, True)
    status = "select status, publish_at, unpublish_at from catalog_product"
    row = await shop.kernel.db.fetchrow(status)
    assert row is not None
    assert tuple(row) == ("published", None, ends)
    # When it ends, then the other way round
    await until(shop, ends)
    assert await seen(shop) == (False, True, False)
    await apply_windows(shop.kernel)
    assert await seen(shop) == (False, False, False)
    row = await shop.kernel.db.fetchrow(status)
    assert row is not None
    assert tuple(row) == ("archived", None, None)
    await assert_in_step(shop.kernel.db)


async def test_windows_that_cannot_be(shop: Shop) -> None:
    await shop.products()
    now = datetime.now(UTC)
    late, later = ((now + timedelta(hours=hour)).isoformat() for hour in (1, 2))
    # What is on sale cannot go on sale
    assert code(await plan(shop, publishAt=late)) == "INVALID_INPUT"
    # and nothing ends before it begins, or in the past
    assert code(await plan(shop, status="DRAFT", publishAt=later, unpublishAt=late)) == "INVALID_INPUT"
    assert code(await plan(shop, unpublishAt=now.isoformat())) == "INVALID_INPUT"
    assert await shop.kernel.db.fetchval("select status from catalog_product") == "published"


async def test_what_a_person_does_ends_the_plans_that_it_contradicts(shop: Shop) -> None:
    await shop.products()
    late, later = ((datetime.now(UTC) + timedelta(hours=hour)).isoformat() for hour in (1, 2))
    answer = await plan(shop, status="DRAFT", publishAt=late, unpublishAt=later)
    assert answer["product"]["publishAt"] is not None
    # Published by hand, it still goes off sale as planned
    answer = await run(shop, "publishProduct", PRODUCT, id=await product_id(shop))
    assert answer["product"]["publishAt"] is None
    assert answer["product"]["unpublishAt"] is not None
    # archived by hand, nothing is planned any more
    answer = await run(shop, "archiveProduct", PRODUCT, id=await product_id(shop))
    assert answer["product"] == {"status": "ARCHIVED", "publishAt": None, "unpublishAt": None}
    # and it is a draft again when somebody wants to work on it
    answer = await run(shop, "unarchiveProduct", PRODUCT, id=await product_id(shop))
    assert answer["product"]["status"] == "DRAFT"
    assert code(await run(shop, "unarchiveProduct", PRODUCT, id=await product_id(shop))) == "CONFLICT"
    # A plan is taken back by null
    await plan(shop, publishAt=late)
    answer = await plan(shop, publishAt=None)
    assert answer["product"]["publishAt"] is None
