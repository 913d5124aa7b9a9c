"""Lists filtered by one of several values, by ranges of numbers, and by what is in stock."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Shop
from .office import product_id, run
from .test_attributes import define, texts

PRODUCTS = """
query ($attributes: [AttributeFilter!], $inStock: Boolean! = false, $sort: ProductSort! = ARRANGED, $price: PriceRange,
    $category: String, $first: Int, $after: String) {
  products(attributes: $attributes, inStock: $inStock, sort: $sort, price: $price, category: $category, first: $first,
    after: $after) {
    nodes { slug }
    pageInfo { hasNextPage endCursor }
  }
}
"""
REGIONS = [{"value": name, "labels": texts(name, name.title())} for name in ("cn", "eu", "us")]
STATED = {"p-1": ("cn", "8"), "p-2": ("eu", "16.5"), "p-3": ("us", "64"), "p-4": ("eu", "-2")}


async def stocked(shop: Shop) -> None:
    """Five products of rising price: regions and sizes as stated, the last without; cards of the second alone."""
    await shop.products(
        *(
            {"sku": f"S-{n}", "product": f"p-{n}", "title_en": f"P{n}", "price": str(n * 10)}
            for n in range(1, 6)
        )
    )
    await define(shop, "region", "CHOICE", choices=REGIONS, filterable=True)
    await define(shop, "size", "NUMBER", unit="GB", filterable=True)
    for slug, (region, size) in STATED.items():
        values = [{"code": "region", "values": [region]}, {"code": "size", "values": [size]}]
        await run(
            shop, "setProductAttributes", "product { id }", id=await product_id(shop, slug), attributes=values
        )
    await shop.cards("S-2", 1)


async def found(shop: Shop, *wanted: dict[str, Any], **more: Any) -> list[str]:
    """The slugs of a list, read in pages of two."""
    slugs: list[str] = []
    after = None
    while True:
        variables = {"attributes": list(wanted), "first": 2, "after": after, **more}
        page = (await shop.ask(PRODUCTS, variables))["products"]
        slugs += [node["slug"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return slugs
        after = page["pageInfo"]["endCursor"]


async def test_products_with_one_of_several_values(shop: Shop) -> None:
    await stocked(shop)
    assert await found(shop, {"code": "region", "anyOf": ["cn", "eu"]}, sort="PRICE_ASC") == [
        "p-1",
        "p-2",
        "p-4",
    ]
    assert await found(shop, {"code": "region", "anyOf": ["us", "moon"]}) == ["p-3"]
    assert await found(shop, {"code": "region", "anyOf": ["moon"]}) == []
    assert await found(shop, {"code": "region", "anyOf": ["eu"]}, {"code": "region", "value": "cn"}) == []
    # No values ask for nothing.
    assert len(await found(shop, {"code": "region", "anyOf": []})) == 5


async def test_products_with_a_number_in_a_range(shop: Shop) -> None:
    await stocked(shop)
    assert await found(shop, {"code": "size", "from": "8", "to": "16.5"}, sort="PRICE_ASC") == ["p-1", "p-2"]
    assert await found(shop, {"code": "size", "from": "16.51"}) == ["p-3"]
    assert await found(shop, {"code": "size", "to": "0"}) == ["p-4"]
    # A text is in no range, whatever it looks like.
    assert await found(shop, {"code": "region", "from": "0"}) == []


async def test_products_in_stock(shop: Shop) -> None:
    await stocked(shop)
    assert await found(shop, inStock=True) == ["p-2"]
    assert await found(shop, {"code": "region", "anyOf": ["cn", "us"]}, inStock=True) == []
    # What is counted, and what has no end, is in stock as well; what has run out is not.
    db = shop.kernel.db
    await db.execute("update catalog_variant set stock_kind = 'unlimited' where sku = 'S-3'")
    await db.execute("update catalog_free_card set expires_on = now()::date - 2")
    assert await found(shop, inStock=True) == ["p-3"]


@pytest.mark.parametrize("sort", ["ARRANGED", "NEWEST", "POPULAR", "PRICE_ASC", "PRICE_DESC"])
async def test_conditions_meet_prices_categories_and_every_order(shop: Shop, sort: str) -> None:
    await stocked(shop)
    price = {"from": "20", "to": "40"}
    wanted = {"code": "region", "anyOf": ["cn", "eu", "us"]}
    slugs = await found(shop, wanted, sort=sort, price=price, category="game")
    assert sorted(slugs) == ["p-2", "p-3", "p-4"]
    if sort.startswith("PRICE"):
        assert slugs == sorted(slugs, reverse=sort == "PRICE_DESC")
    assert await found(shop, wanted, sort=sort, category="nowhere") == []


async def test_a_walk_that_was_too_short_is_followed_by_a_way_that_finds_everything(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kameng_catalog.shop.filtering.UNKNOWN_WALK", 1)
    await stocked(shop)
    wanted = {"code": "region", "anyOf": ["eu", "us"]}
    assert await found(shop, wanted, sort="PRICE_DESC") == ["p-4", "p-3", "p-2"]
    assert await found(shop, wanted, sort="PRICE_ASC", inStock=True) == ["p-2"]


async def test_a_filter_has_an_end(shop: Shop) -> None:
    await stocked(shop)
    answer = await shop.ask(
        PRODUCTS, {"attributes": [{"code": "region", "anyOf": [str(number) for number in range(51)]}]}
    )
    assert "INVALID_INPUT" in str(answer)


async def test_a_variant_says_why_it_costs_what_it_costs_and_how_it_is_delivered(shop: Shop) -> None:
    key = await shop.stocked("A-1", price="9.90")
    document = (
        '{ product(slug: "alpha") { variants { delivery priceSteps { code text params { name value } } } } }'
    )
    (variant,) = (await shop.ask(document))["product"]["variants"]
    assert variant["delivery"] == "INSTANT"
    assert variant["priceSteps"] == [
        {
            "code": "LIST",
            "text": "Price of retail: 9.90 CNY",
            "params": [
                {"name": "tier", "value": "retail"},
                {"name": "amount", "value": "9.90"},
                {"name": "currency", "value": "CNY"},
            ],
        }
    ]
    await shop.kernel.db.execute("update catalog_variant set delivery = 'manual' where id = $1", key)
    await shop.kernel.db.execute("delete from catalog_price where variant = $1", key)
    (variant,) = (await shop.ask(document))["product"]["variants"]
    assert (variant["delivery"], variant["priceSteps"]) == ("MANUAL", [])
