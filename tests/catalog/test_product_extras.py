"""Words for search engines, metadata of integrations, and what still has to be translated."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from .conftest import CLERK, Shop
from .office import code, product_id, run


async def test_search_engines_read_own_words_or_the_texts(shop: Shop) -> None:
    long = "A sentence.\n" * 40
    await shop.products({"description_en": long})
    document = '{ product(slug: "alpha") { seo { title description } } }'
    # Without words of its own, a product's title and the beginning of its description
    seo = (await shop.ask(document))["product"]["seo"]
    assert seo["title"] == "Alpha"
    assert (len(seo["description"]), seo["description"][-1]) == (160, "…")
    # with words of its own, those, in the language that has them
    words = [{"locale": "en", "title": "Buy Alpha", "description": "At once."}]
    fields = "product { seo { locale title description } }"
    answer = await run(shop, "updateProduct", fields, id=await product_id(shop), seo=words)
    assert answer["product"]["seo"] == words
    assert (await shop.ask(document))["product"]["seo"] == {"title": "Buy Alpha", "description": "At once."}
    assert (await shop.ask(document, locale="zh-CN"))["product"]["seo"]["title"] == "阿尔法"
    # and none takes them away
    answer = await run(shop, "updateProduct", fields, id=await product_id(shop), seo=[{"locale": "en"}])
    assert answer["product"]["seo"] == []


async def metadata(shop: Shop, visibility: str = "PUBLIC", remove: tuple[str, ...] = (), **put: str) -> Any:
    fields = "product { publicMetadata { key value } privateMetadata { key value } }"
    items = [{"key": key, "value": value} for key, value in put.items()]
    return await run(
        shop,
        "updateProductMetadata",
        fields,
        id=await product_id(shop),
        visibility=visibility,
        set=items,
        remove=list(remove),
    )


async def test_integrations_keep_public_and_private_metadata(shop: Shop) -> None:
    await shop.products()
    await metadata(shop, erp="42", colour="red")
    answer = await metadata(shop, "PRIVATE", margin="0.3")
    assert answer["product"] == {
        "publicMetadata": [{"key": "colour", "value": "red"}, {"key": "erp", "value": "42"}],
        "privateMetadata": [{"key": "margin", "value": "0.3"}],
    }
    document = '{ product(slug: "alpha") { metadata { key value } } }'
    assert (await shop.ask(document))["product"]["metadata"] == answer["product"]["publicMetadata"]
    # Other keys stay, also of others at the same time
    await asyncio.gather(*(metadata(shop, **{f"k{n}": "v"}) for n in range(5)))
    answer = await metadata(shop, remove=("erp", "colour"))
    assert [item["key"] for item in answer["product"]["publicMetadata"]] == ["k0", "k1", "k2", "k3", "k4"]


@pytest.mark.parametrize(
    "put",
    [{"": "v"}, {"a b": "v"}, {"k" * 65: "v"}, {"k": "v" * 2_001}, {f"k{n}": "v" for n in range(51)},
     {f"k{n}": "v" * 2_000 for n in range(8)}],
    ids=["empty", "space", "long key", "long value", "many", "much"],
)  # fmt: skip
async def test_metadata_that_cannot_be(shop: Shop, put: dict[str, str]) -> None:
    await shop.products()
    assert code(await metadata(shop, **put)) == "INVALID_INPUT"
    assert await shop.kernel.db.fetchval("select public_metadata from catalog_product") == "{}"


async def test_what_is_to_be_translated(shop: Shop) -> None:
    # Given a product that is all there, one without an English title, and one whose variant has none
    await shop.products(
        {},
        {"sku": "B-1", "product": "beta", "title_en": "", "description_en": ""},
        {"sku": "C-1", "product": "gamma", "variant_en": ""},
        {"sku": "D-1", "product": "delta", "title_en": "", "status": "archived"},
    )
    document = """{
        translationProgress { locale categories categoriesLacking products productsLacking }
        untranslatedProducts(locale: "en", first: 5) { nodes { slug } }
    }"""
    data = await shop.ask(document, schema="admin", principal=CLERK)
    assert data["translationProgress"] == [
        {"locale": "zh-CN", "categories": 2, "categoriesLacking": 0, "products": 3, "productsLacking": 0},
        {"locale": "en", "categories": 2, "categoriesLacking": 0, "products": 3, "productsLacking": 2},
    ]
    assert sorted(node["slug"] for node in data["untranslatedProducts"]["nodes"]) == ["beta", "gamma"]
