"""Changing prices: what is refused, what the history keeps, and that lists follow when a period begins or ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from kameng.db import counted_statements
from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.ids import new_id
from kameng_catalog.contract import Quote, QuoteRequest
from kameng_catalog.price_schedule import apply_periods
from kameng_catalog.price_writing import Author, PriceBelowCost, PriceChange, Written, write_prices

from .conftest import Shop
from .listing_model import assert_in_step

AUTHOR = Author(key="staff:1", source="admin", reason="a sale")


@pytest_asyncio.fixture(loop_scope="session")
async def variant(shop: Shop) -> UUID:
    """A variant at 9.90 CNY that costs 9.50."""
    await shop.products()
    return await shop.key("A-1")


async def write(shop: Shop, *changes: PriceChange) -> list[Written | Refusal]:
    async with shop.kernel.db.transaction():
        return await write_prices(shop.kernel.db, changes, AUTHOR, "CNY")


def change(variant: UUID, units: int | None, **more: Any) -> PriceChange:
    return PriceChange(**{"variant": variant, "currency": "CNY", "units": units, **more})


async def history(shop: Shop) -> list[tuple[Any, ...]]:
    rows = await shop.kernel.db.fetch(
        "select what, currency, tier, site, old_units, new_units, source from catalog_price_change order by id"
    )
    return [tuple(row) for row in rows]


async def price(shop: Shop, variant: UUID, **more: Any) -> int:
    (quote,) = await shop.prices.quote([QuoteRequest(variant=variant, **more)])
    assert isinstance(quote, Quote)
    return quote.unit.units


async def lowest(shop: Shop) -> int | None:
    units: int | None = await shop.kernel.db.fetchval("select lowest_units from catalog_product")
    return units


async def test_what_is_sound_is_done_and_the_rest_is_told(shop: Shop, variant: UUID) -> None:
    now = datetime.now(UTC)
    answers = await write(
        shop,
        change(variant, 100_000),
        change(variant, 94_999, tier="gold"),
        change(new_id(), 1),
        change(variant, None, tier="silver"),
        change(variant, 96_000, starts_at=now, ends_at=now),
        change(variant, 96_000, starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1)),
        change(variant, 96_000, tier="silver", min_quantity=2, ends_at=now),
        change(variant, 97_000, site="north"),
    )
    assert answers[0] == Written(99_000, 100_000, changed=True)
    assert answers[7] == Written(None, 97_000, changed=True)
    kinds = [type(answer) for answer in answers[1:7]]
    assert kinds == [PriceBelowCost, NotFound, NotFound, InvalidInput, InvalidInput, InvalidInput]
    assert str(answers[1]).startswith("9.4999 CNY is less than one costs, 9.5.")
    assert (await price(shop, variant), await price(shop, variant, site="north")) == (100_000, 97_000)
    # and the history has what was done, from the file on
    assert await history(shop) == [
        ("cost", "CNY", "", "", None, 95_000, "import"),
        ("price", "CNY", "retail", "", None, 99_000, "import"),
        ("price", "CNY", "retail", "", 99_000, 100_000, "admin"),
        ("price", "CNY", "retail", "north", None, 97_000, "admin"),
    ]
    # When the same is written again, then nothing changes and nothing is kept
    assert await write(shop, change(variant, 100_000)) == [Written(100_000, 100_000, changed=False)]
    assert len(await history(shop)) == 4


async def test_of_several_changes_of_one_price_the_last_counts(shop: Shop, variant: UUID) -> None:
    answers = await write(shop, change(variant, 100_000), change(variant, 110_000))
    assert answers == [Written(99_000, 110_000, changed=True)] * 2
    assert await price(shop, variant) == 110_000
    assert (await history(shop))[2:] == [("price", "CNY", "retail", "", 99_000, 110_000, "admin")]


async def test_many_changes_take_no_more_statements_than_one(shop: Shop) -> None:
    await shop.products(*({"sku": f"A-{number}", "price": "10"} for number in range(50)))
    keys = [row["id"] for row in await shop.kernel.db.fetch("select id from catalog_variant")]
    counts = []
    for changes in ([change(keys[0], 101_000)], [change(key, 102_000) for key in keys]):
        with counted_statements() as statements:
            assert all(isinstance(answer, Written) for answer in await write(shop, *changes))
        counts.append(len(statements))
    assert counts[0] == counts[1]
    await assert_in_step(shop.kernel.db)


async def test_nobody_rewrites_the_history(shop: Shop, variant: UUID) -> None:
    for sql in ("update catalog_price_change set new_units = 1", "delete from catalog_price_change"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await shop.kernel.db.execute(sql)


async def test_a_period_holds_at_once_and_lists_follow(shop: Shop, variant: UUID) -> None:
    db, now = shop.kernel.db, datetime.now(UTC)
    # Given a sale that runs, and one that is to come
    await write(shop, change(variant, 96_000, starts_at=now - timedelta(hours=1)))
    assert (await price(shop, variant), await lowest(shop)) == (96_000, 96_000)
    soon = now + timedelta(seconds=1)
    await write(shop, change(variant, 95_500, starts_at=soon, ends_at=soon + timedelta(hours=1)))
    assert (await price(shop, variant), await lowest(shop)) == (96_000, 96_000)
    document = '{ product(slug: "alpha") { priceFrom { amount } variants { price { amount } } } }'
    # When the second has come
    while await db.fetchval("select now() < $1", soon):
        await asyncio.sleep(0.05)
    # Then quotes and pages have it, although nobody has told the lists
    assert (await price(shop, variant), await lowest(shop)) == (95_500, 96_000)
    assert await shop.ask(document) == {
        "product": {"priceFrom": {"amount": "9.55"}, "variants": [{"price": {"amount": "9.55"}}]}
    }
    # and the lists learn of it on schedule, and go by it
    await apply_periods(shop.kernel)
    assert await lowest(shop) == 95_500
    listed = "select count(*) from catalog_listed where units = 95500"
    assert await db.fetchval(listed) > 0
    # When it is long over, then what was before holds again, and it is cleared away
    await db.execute(
        "update catalog_special_price set starts_at = now() - interval '3 days', ends_at = now() - interval '2 days'"
        " where ends_at is not null"
    )
    await db.execute("update catalog_product set lowest_until = now()")
    await apply_periods(shop.kernel)
    assert (await price(shop, variant), await lowest(shop)) == (96_000, 96_000)
    assert await db.fetchval("select count(*) from catalog_special_price") == 1
    assert await db.fetchval("select lowest_until from catalog_product") is None


async def test_a_variant_without_special_prices_is_ordinary_again(shop: Shop, variant: UUID) -> None:
    special = "select specially_priced from catalog_variant"
    await write(shop, change(variant, 96_000, site="north"))
    assert await shop.kernel.db.fetchval(special) is True
    assert await write(shop, change(variant, None, site="north")) == [Written(96_000, None, changed=True)]
    assert await shop.kernel.db.fetchval(special) is False


async def test_changes_at_once_are_all_kept(shop: Shop, variant: UUID) -> None:
    amounts = [100_000 + number for number in range(8)]
    await asyncio.gather(*(write(shop, change(variant, units)) for units in amounts))
    entries = [entry[4:6] for entry in await history(shop)][2:]
    # Each began where the one before it had ended
    assert [old for old, _ in entries] == [99_000, *(new for _, new in entries[:-1])]
    assert sorted(new for _, new in entries) == amounts
    await assert_in_step(shop.kernel.db)


async def test_a_file_does_not_price_below_the_cost(shop: Shop) -> None:
    report = await shop.products({"price": "9.4"})
    assert [fault.column for fault in report.faults.in_order()] == ["price"]
    assert not report.applied
