"""Making products and variants one by one."""

from __future__ import annotations

import asyncio
from typing import Any

from .conftest import Shop
from .listing_model import assert_in_step
from .office import code, product_id, run

NAMED = [{"locale": "en", "text": "Named"}]


async def variant(shop: Shop, product: str, sku: str, **more: Any) -> Any:
    fields = "variant { id sku status stockKind faceValue { amount } cost { amount } minQuantity }"
    values = {"product": product, "sku": sku, "titles": NAMED, "stockKind": "CARD", **more}
    return await run(shop, "createVariant", fields, **values)


async def test_a_product_is_made_step_by_step_and_sold(shop: Shop) -> None:
    # Given a category
    await run(shop, "createCategory", "category { path }", slug="game", titles=NAMED)
    # When a product and a variant are made in it
    made = await run(
        shop, "createProduct", "product { id status title }", slug="alpha", category="game", titles=NAMED
    )
    assert made["product"]["status"] == "DRAFT"
    answer = await variant(
        shop,
        made["product"]["id"],
        "A-1",
        faceValue={"amount": "10", "currency": "USD"},
        cost={"amount": "9.5", "currency": "CNY"},
        minQuantity=2,
    )
    assert answer["errors"] == []
    assert {**answer["variant"], "id": ""} == {
        "id": "",
        "sku": "A-1",
        "status": "DRAFT",
        "stockKind": "CARD",
        "faceValue": {"amount": "10.00"},
        "cost": {"amount": "9.50"},
        "minQuantity": 2,
    }
    await assert_in_step(shop.kernel.db)
    # and it has a price and is published
    key = answer["variant"]["id"]
    price = {"amount": "9.9", "currency": "CNY"}
    await run(shop, "setVariantPrice", "variant { id }", variant=key, unit=price)
    await run(
        shop, "updateVariant", "variant { id }", id=key, status="PUBLISHED",
        faceValue={"amount": "12", "currency": "USD"},
    )  # fmt: skip
    await run(shop, "publishProduct", "product { id }", id=made["product"]["id"])
    # Then the shop sells it
    data = await shop.ask("{ products { nodes { priceFrom { amount } variants { faceValue { amount } } } } }")
    assert data["products"]["nodes"] == [
        {"priceFrom": {"amount": "9.90"}, "variants": [{"faceValue": {"amount": "12.00"}}]}
    ]
    history = await shop.kernel.db.fetch("select what, new_units from catalog_price_change order by id")
    assert [tuple(row) for row in history] == [("cost", 95_000), ("price", 99_000)]
    await assert_in_step(shop.kernel.db)


async def test_what_cannot_be_made(shop: Shop) -> None:
    await shop.products()
    product = await product_id(shop)

    async def make(**values: Any) -> Any:
        given = {"slug": "beta", "category": "game", "titles": NAMED, **values}
        return await run(shop, "createProduct", "product { id }", **given)

    assert code(await make(slug="alpha")) == "CONFLICT"
    assert code(await make(slug="Be ta")) == "INVALID_INPUT"
    assert code(await make(category="nowhere")) == "NOT_FOUND"
    assert code(await make(titles=[])) == "INVALID_INPUT"
    assert code(await variant(shop, product, "A-1")) == "CONFLICT"
    assert code(await variant(shop, product, "A-2", minQuantity=5, maxQuantity=4)) == "INVALID_INPUT"
    assert code(await variant(shop, product, "A-2", titles=[])) == "INVALID_INPUT"
    negative = {"amount": "-1", "currency": "USD"}
    assert code(await variant(shop, product, "A-2", faceValue=negative)) == "INVALID_INPUT"
    # Of two that make the same, one does
    answers = await asyncio.gather(*(variant(shop, product, "A-3") for _ in range(3)))
    assert sorted(bool(answer["errors"]) for answer in answers) == [False, True, True]
