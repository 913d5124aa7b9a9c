"""Typed attributes: defined by category, checked, shown, and filtered by."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Shop
from .listing_model import assert_in_step
from .office import code, product_id, run


def texts(zh: str, en: str) -> list[dict[str, str]]:
    return [{"locale": "zh-CN", "text": zh}, {"locale": "en", "text": en}]


REGIONS = [
    {"value": "cn", "labels": texts("国服", "China")},
    {"value": "eu", "labels": texts("欧服", "Europe")},
]


async def define(shop: Shop, name: str, kind: str, **more: Any) -> Any:
    titles = texts(name, name.title())
    values = {"category": "game", "code": name, "kind": kind, "titles": titles, **more}
    return await run(shop, "defineAttribute", "category { path attributes { code } }", **values)


async def state(shop: Shop, **values: list[str]) -> Any:
    listed = [{"code": name, "values": given} for name, given in values.items()]
    fields = "product { attributes { attribute { code } values labels } }"
    return await run(shop, "setProductAttributes", fields, id=await product_id(shop), attributes=listed)


async def ready(shop: Shop) -> None:
    await shop.products({"category": "game/pc", "title_en": "Alpha"})
    await define(shop, "region", "CHOICE", choices=REGIONS, filterable=True, position=1)
    await define(shop, "size", "NUMBER", unit="GB", position=2)
    await define(shop, "online", "BOOLEAN", position=3)
    await define(shop, "maker", "TEXT", position=4)
    await define(shop, "servers", "CHOICES", choices=REGIONS, position=5)


async def test_products_state_what_their_category_defines(shop: Shop) -> None:
    # Given attributes of every kind, of the category above
    await ready(shop)
    # When a product states them
    answer = await state(
        shop, region=["eu"], size=["16.50"], online=["true"], maker=["Kameng"], servers=["eu", "cn"]
    )
    # Then the back office tells them in the order of the definitions
    assert [(found["attribute"]["code"], found["values"]) for found in answer["product"]["attributes"]] == [
        ("region", ["eu"]),
        ("size", ["16.5"]),
        ("online", ["true"]),
        ("maker", ["Kameng"]),
        ("servers", ["cn", "eu"]),
    ]
    # and so does the shop, in the reader's language
    document = """{ product(slug: "alpha") {
        attributes { attribute { title kind unit filterable } labels }
        category { attributes { code choices { label } } } } }"""
    english = (await shop.ask(document))["product"]
    assert [found["labels"] for found in english["attributes"]] == [
        ["Europe"], ["16.5 GB"], ["yes"], ["Kameng"], ["China", "Europe"],
    ]  # fmt: skip
    assert english["attributes"][1]["attribute"] == {
        "title": "Size", "kind": "NUMBER", "unit": "GB", "filterable": False,
    }  # fmt: skip
    assert english["category"]["attributes"][0] == {
        "code": "region", "choices": [{"label": "China"}, {"label": "Europe"}],
    }  # fmt: skip
    chinese = (await shop.ask(document, locale="zh-CN"))["product"]
    assert [found["labels"] for found in chinese["attributes"]][:3] == [["欧服"], ["16.5 GB"], ["是"]]


async def test_lists_are_filtered_by_what_products_state(shop: Shop) -> None:
    await ready(shop)
    await state(shop, region=["eu"], size=["16"], servers=["cn", "eu"])
    document = """query ($attributes: [AttributeFilter!]) {
        products(attributes: $attributes) { nodes { slug } } }"""

    async def found(*wanted: tuple[str, str]) -> list[str]:
        values = [{"code": name, "value": value} for name, value in wanted]
        data = await shop.ask(document, {"attributes": values})
        return [node["slug"] for node in data["products"]["nodes"]]

    assert await found(("region", "eu")) == ["alpha"]
    assert await found(("region", "eu"), ("size", "16"), ("servers", "cn")) == ["alpha"]
    assert await found(("region", "cn")) == []
    assert await found(("region", "eu"), ("servers", "us")) == []
    # and they follow what it states
    await state(shop, region=["cn"])
    assert await found(("region", "eu")) == []
    assert await found(("region", "cn")) == ["alpha"]


@pytest.mark.parametrize(
    "values",
    [
        {"region": ["us"]},
        {"region": ["cn", "eu"]},
        {"size": ["16 GB"]},
        {"size": ["1e3"]},
        {"online": ["yes"]},
        {"maker": ["a\nb"]},
        {"maker": [""]},
        {"servers": ["cn", "us"]},
        {"colour": ["red"]},
    ],
)
async def test_values_that_cannot_be(shop: Shop, values: dict[str, list[str]]) -> None:
    await ready(shop)
    answer = await state(shop, **values)
    assert code(answer) == "INVALID_INPUT"
    assert answer["errors"][0]["path"] == ["input", "attributes", *values]
    assert await shop.kernel.db.fetchval("select attributes from catalog_product") == "{}"


async def test_what_is_required_must_be_stated(shop: Shop) -> None:
    await ready(shop)
    await define(shop, "maker", "TEXT", required=True)
    answer = await state(shop, size=["1"])
    assert [error["message"] for error in answer["errors"]] == ["The attribute maker is required."]


async def test_definitions_change_but_not_their_kind(shop: Shop) -> None:
    await ready(shop)
    assert code(await define(shop, "size", "TEXT")) == "CONFLICT"
    assert code(await define(shop, "tier", "CHOICE")) == "INVALID_INPUT"
    assert code(await define(shop, "tier", "TEXT", choices=REGIONS)) == "INVALID_INPUT"
    assert code(await define(shop, "tier", "CHOICE", choices=REGIONS * 2)) == "INVALID_INPUT"
    assert code(await define(shop, "Tier", "TEXT")) == "INVALID_INPUT"
    assert code(await define(shop, "tier", "TEXT", category="nowhere")) == "NOT_FOUND"
    # A nearer definition goes before one further up
    await define(shop, "maker", "NUMBER", category="game/pc")
    assert code(await state(shop, maker=["Kameng"])) == "INVALID_INPUT"
    # and what is defined no more is not shown, although it is kept
    await state(shop, region=["cn"])
    await run(shop, "removeAttribute", "category { path }", category="game", code="region")
    data = await shop.ask('{ product(slug: "alpha") { attributes { values } } }')
    assert data["product"]["attributes"] == []
    assert await shop.kernel.db.fetchval("select attributes from catalog_product") == '{"region": ["cn"]}'


async def test_many_products_attributes_are_few_statements(shop: Shop) -> None:
    from kameng.db import counted_statements

    await shop.products(*({"sku": f"A-{n}", "product": f"p-{n}"} for n in range(8)))
    await define(shop, "region", "CHOICE", choices=REGIONS)
    await shop.kernel.db.execute("""update catalog_product set attributes = '{"region": ["cn"]}'""")
    counts = []
    for size in (1, 8):
        with counted_statements() as statements:
            data = await shop.ask(
                "query ($n: Int!) { products(first: $n) { nodes { attributes { values } media { url } seo { title } } } }",
                {"n": size},
            )
        assert len(data["products"]["nodes"]) == size
        counts.append(len(statements))
    assert counts[0] == counts[1]
    await shop.kernel.db.execute("update catalog_product set attributes = '{}'")
    await assert_in_step(shop.kernel.db)
