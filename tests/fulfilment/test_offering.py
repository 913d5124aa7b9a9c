"""What the shop tells before anything is bought: flash sales of the whole shop, how soon people deliver, complaints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kameng.auth import VISITOR
from kameng.ids import new_id

from .conftest import Shop

SALES = "query ($first: Int! = 12) { flashSales(first: $first) { sku flashSale { state } } }"


async def told(shop: Shop, document: str, **variables: Any) -> Any:
    """What the shop tells a visitor."""
    answer = await shop.ask("shop", document, variables, VISITOR)
    assert answer.errors is None, answer.errors
    return answer.data


async def plan(shop: Shop, sku: str, opens: int, closes: int) -> None:
    """A sale of a variant, from so many minutes on until so many minutes from now."""
    now = datetime.now(UTC)
    await shop.kernel.db.execute(
        """
        insert into fulfilment_flash_sale (id, variant, holds_from, opens_at, closes_at, quantity, per_buyer, sold,
            created_by, created_at)
        select $1, id, $3, $3, $4, 5, 1, 0, 'test', now() from catalog_variant where sku = $2
        """,
        new_id(),
        sku,
        now + timedelta(minutes=opens),
        now + timedelta(minutes=closes),
    )


async def test_the_shop_tells_the_flash_sales_that_run_and_those_that_come(shop: Shop) -> None:
    # Given a sale that comes, two that run, and one that is over
    skus = ("SOON", "LATE", "EARLY", "OVER")
    for sku in skus:
        await shop.stock(sku, "10.00", [f"CARD-{sku}"])
    for sku, opens, closes in (("SOON", 5, 9), ("LATE", -1, 5), ("EARLY", -3, 5), ("OVER", -9, -5)):
        await plan(shop, sku, opens, closes)

    # When somebody opens the shop
    found = (await told(shop, SALES))["flashSales"]

    # Then those that run come first, the earliest before the others
    assert [(sale["sku"], sale["flashSale"]["state"]) for sale in found] == [
        ("EARLY", "OPEN"),
        ("LATE", "OPEN"),
        ("SOON", "UPCOMING"),
    ]
    assert [sale["sku"] for sale in (await told(shop, SALES, first=1))["flashSales"]] == ["EARLY"]


async def test_how_soon_people_deliver_and_how_long_one_may_complain(shop: Shop) -> None:
    key = await shop.stock("A-1", "10.00", [])
    document = '{ complaintDays product(slug: "a-1") { variants { serviceMinutes } } }'
    assert await told(shop, document) == {
        "complaintDays": 7,
        "product": {"variants": [{"serviceMinutes": 120}]},
    }

    await shop.kernel.db.execute(
        "insert into fulfilment_service_time (variant, minutes) values ($1, 30)", key
    )
    assert (await told(shop, document))["product"]["variants"] == [{"serviceMinutes": 30}]
