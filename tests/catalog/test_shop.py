"""The shop's queries: what buyers see, in their language, at their prices, in a constant number of
statements.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.db import counted_statements
from kameng.ids import global_id, new_id
from kameng.module import Module, Provide
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog
from kameng_catalog.contract import Prices, PriceTiers, Quote, QuoteRequest
from kameng_catalog.listings import refresh_prices
from kameng_catalog.popularity import count_popularity

from .conftest import DATA, Shop

EVERYTHING = """
query ($first: Int, $after: String, $search: String, $category: String, $sort: ProductSort) {
  products(first: $first, after: $after, search: $search, category: $category, sort: $sort) {
    nodes {
      id slug title description tags createdAt stockState
      priceFrom { amount currency }
      category { path title parent { path title } children { path } }
      variants {
        id sku title minQuantity maxQuantity stockState available
        faceValue { amount currency }
        price { amount currency }
        quantityPrices { fromQuantity unit { amount } }
        product { slug }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def keep_lowest(shop: Shop) -> None:
    """What whoever changes prices does with their products."""
    db = shop.kernel.db
    async with db.transaction():
        await refresh_prices(
            db, [row["id"] for row in await db.fetch("select id from catalog_product")], "CNY"
        )


async def test_a_product_as_a_buyer_sees_it(shop: Shop) -> None:
    await shop.stocked(cards=3, price="9.9", min_quantity="1", max_quantity="5")
    await shop.kernel.db.execute(
        """
        insert into catalog_price (id, variant, tier, min_quantity, currency, units)
        select gen_random_uuid(), id, 'retail', 5, 'CNY', 98125 from catalog_variant
        """
    )
    data = await shop.ask(
        """
        { product(slug: "alpha") {
            title description tags stockState priceFrom { amount currency }
            category { path title parent { path title } }
            variants {
              sku title minQuantity maxQuantity stockState available
              faceValue { amount currency } price { amount currency }
              quantityPrices { fromQuantity unit { amount } }
            }
        } }
        """
    )
    assert data == {
        "product": {
            "title": "Alpha",
            "description": "How to",
            "tags": ["hot"],
            "stockState": "LOW",
            "priceFrom": {"amount": "9.90", "currency": "CNY"},
            "category": {"path": "game/pc", "title": "PC games", "parent": {"path": "game", "title": "Game"}},
            "variants": [
                {
                    "sku": "A-1",
                    "title": "A-1",
                    "minQuantity": 1,
                    "maxQuantity": 5,
                    "stockState": "LOW",
                    "available": 3,
                    "faceValue": {"amount": "10.00", "currency": "USD"},
                    "price": {"amount": "9.90", "currency": "CNY"},
                    "quantityPrices": [
                        {"fromQuantity": 1, "unit": {"amount": "9.90"}},
                        {"fromQuantity": 5, "unit": {"amount": "9.8125"}},
                    ],
                }
            ],
        }
    }


async def test_texts_come_in_the_language_of_the_request(shop: Shop) -> None:
    await shop.products({"description_en": ""})
    document = '{ product(slug: "alpha") { title description category { title } variants { title } } }'
    assert await shop.ask(document, locale="zh-CN") == {
        "product": {
            "title": "阿尔法",
            "description": "说明",
            "category": {"title": "电脑游戏"},
            "variants": [{"title": "一"}],
        }
    }
    # a text that is missing comes in the first language that has it
    english = await shop.ask(document, locale="en")
    assert (english["product"]["title"], english["product"]["description"]) == ("Alpha", "说明")


@pytest.mark.parametrize(
    ("cards", "state", "available"), [(0, "OUT", 0), (1, "LOW", 1), (9, "LOW", 9), (10, "IN_STOCK", 10), (130, "IN_STOCK", 100)]
)  # fmt: skip
async def test_stock_is_told_up_to_a_cap(shop: Shop, cards: int, state: str, available: int) -> None:
    await shop.stocked(cards=cards)
    data = await shop.ask('{ product(slug: "alpha") { stockState variants { stockState available } } }')
    assert data == {
        "product": {"stockState": state, "variants": [{"stockState": state, "available": available}]}
    }


async def test_the_settings_decide_what_is_low_and_what_is_told(make_kernel: Kernels) -> None:
    shop = Shop(await make_kernel([catalog], catalog={"low_stock": 3, "available_cap": 2}))
    await shop.stocked(cards=4)
    data = await shop.ask('{ product(slug: "alpha") { variants { stockState available } } }')
    assert data["product"]["variants"] == [{"stockState": "IN_STOCK", "available": 2}]


class Levels:
    """Members are gold."""

    async def tier_of(self, principal: Principal) -> str:
        return "gold" if principal.kind is PrincipalKind.MEMBER else "retail"


LEVELS = Module(
    name="levels",
    version="1.0.0",
    requires={"catalog": ">=0.1"},
    provides=(Provide(PriceTiers, lambda _kernel: Levels()),),
)


async def test_everybody_sees_the_prices_of_his_tier(make_kernel: Kernels) -> None:
    # Given a module that says who is gold, and gold prices from 5 pieces on
    shop = Shop(await make_kernel([catalog, LEVELS]))
    await shop.stocked(cost="")
    await shop.kernel.db.execute(
        """
        insert into catalog_price (id, variant, tier, min_quantity, currency, units)
        select gen_random_uuid(), id, tier, n, 'CNY', units from catalog_variant,
        (values ('gold', 5, 80000), ('retail', 20, 85000), ('retail', 3, 97000)) v (tier, n, units)
        """
    )
    document = """
        { product(slug: "alpha") { priceFrom { amount } variants {
            price { amount } quantityPrices { fromQuantity unit { amount } } } } }
    """
    # Then a visitor sees retail prices
    visitor = await shop.ask(document)
    assert [
        (step["fromQuantity"], step["unit"]["amount"])
        for step in visitor["product"]["variants"][0]["quantityPrices"]
    ] == [(1, "9.90"), (3, "9.70"), (20, "8.50")]
    # and a member what the quote would say for each quantity: retail only where gold has nothing
    member = await shop.ask(document, principal=Principal(kind=PrincipalKind.MEMBER, id=new_id()))
    assert [
        (step["fromQuantity"], step["unit"]["amount"])
        for step in member["product"]["variants"][0]["quantityPrices"]
    ] == [(1, "9.90"), (3, "9.70"), (5, "8.00")]
    assert member["product"]["priceFrom"] == {"amount": "9.90"}


async def test_what_has_no_price_or_is_not_published_is_not_shown_as_for_sale(shop: Shop) -> None:
    await shop.products(
        {},
        {"sku": "A-2", "variant_zh": "二", "status": "draft"},
        {"sku": "B-1", "product": "beta", "title_en": "Beta", "status": "draft"},
    )
    await shop.kernel.db.execute("delete from catalog_price where variant = $1", await shop.key("A-1"))
    await keep_lowest(shop)
    data = await shop.ask(
        "{ products { nodes { slug priceFrom { amount } variants { sku price { amount } } } } }"
    )
    assert data == {
        "products": {
            "nodes": [{"slug": "alpha", "priceFrom": None, "variants": [{"sku": "A-1", "price": None}]}]
        }
    }
    assert await shop.ask('{ product(slug: "beta") { slug } }') == {"product": None}
    # neither by their ids
    for sku, kind in (("A-2", "Variant"), ("B-1", "Variant")):
        text = global_id(kind, await shop.key(sku))
        assert await shop.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": text}) == {"node": None}


async def test_things_are_found_by_id(shop: Shop) -> None:
    await shop.products()
    data = await shop.ask('{ product(slug: "alpha") { id category { id } variants { id } } }')
    product = data["product"]
    ids = [product["id"], product["category"]["id"], product["variants"][0]["id"]]
    found = await shop.ask(
        """
        query ($ids: [ID!]!) { nodes(ids: $ids) {
            __typename id ... on Product { slug } ... on Category { path } ... on Variant { sku }
        } }
        """,
        {"ids": ids},
    )
    assert found["nodes"] == [
        {"__typename": "Product", "id": ids[0], "slug": "alpha"},
        {"__typename": "Category", "id": ids[1], "path": "game/pc"},
        {"__typename": "Variant", "id": ids[2], "sku": "A-1"},
    ]
    again = await shop.ask("query ($id: ID) { product(id: $id) { slug } }", {"id": ids[0]})
    assert again == {"product": {"slug": "alpha"}}


@pytest.mark.parametrize("arguments", ["", '(id: "x", slug: "y")'])
async def test_a_product_is_asked_for_in_one_way(shop: Shop, arguments: str) -> None:
    answer = await shop.ask(f"{{ product{arguments} {{ slug }} }}")
    assert answer.errors[0]["extensions"]["code"] == "INVALID_INPUT"


async def slugs(shop: Shop, **variables: Any) -> list[str]:
    data = await shop.ask(EVERYTHING, variables)
    return [node["slug"] for node in data["products"]["nodes"]]


async def test_the_example_shop_is_found_by_words_and_shelves(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")
    assert await slugs(shop, search="steam 美区") == ["steam-us"]
    assert await slugs(shop, search="充值码 HONG") == ["steam-hk"]
    assert await slugs(shop, search="nothing like it") == []
    assert await slugs(shop, search="CMCC-10") == ["cmcc"]
    assert await slugs(shop, category="topup/mobile") == ["cmcc", "cucc", "ctcc", "cbn"]
    # a shelf has what stands on the shelves in it, and no shelf that only begins alike
    assert len(await slugs(shop, category="topup", first=100)) > 4
    assert await slugs(shop, category="top") == []
    assert await slugs(shop, category="game/%") == []
    assert await slugs(shop, category="game", search="steam 美区") == ["steam-us"]


@pytest.mark.parametrize("sort", ["ARRANGED", "NEWEST", "POPULAR"])
async def test_pages_show_everything_once(shop: Shop, sort: str) -> None:
    # Given the example shop, some of it arranged and sold
    await shop.product_file(DATA / "products.csv")
    await shop.kernel.db.execute(
        "update catalog_product set position = length(slug) % 3, popularity = length(slug) % 5"
    )
    whole = await slugs(shop, sort=sort, first=100)
    assert len(whole) == 78
    # When it is read in pages, forwards
    seen: list[str] = []
    after = None
    while True:
        data = await shop.ask(EVERYTHING, {"first": 7, "after": after, "sort": sort})
        seen += [node["slug"] for node in data["products"]["nodes"]]
        if not data["products"]["pageInfo"]["hasNextPage"]:
            break
        after = data["products"]["pageInfo"]["endCursor"]
    # Then each product came once, in the same order
    assert seen == whole
    # and backwards too
    data = await shop.ask(
        f"{{ products(last: 3, sort: {sort}) {{ nodes {{ slug }} pageInfo {{ hasPreviousPage startCursor }} }} }}"
    )
    assert [node["slug"] for node in data["products"]["nodes"]] == whole[-3:]
    # while a cursor of one order is none of another
    other = "NEWEST" if sort != "NEWEST" else "ARRANGED"
    answer = await shop.ask(EVERYTHING, {"after": after, "sort": other})
    assert answer.errors[0]["extensions"]["code"] == "INVALID_INPUT"


async def test_what_sold_lately_comes_first(shop: Shop) -> None:
    await shop.stocked("A-1", 5)
    other = await shop.stocked("B-1", 5, product="beta")
    assert await slugs(shop, sort="POPULAR") == ["beta", "alpha"]
    await shop.buy((await shop.key("A-1"), 1), (other, 2))
    await count_popularity(shop.kernel)
    assert await slugs(shop, sort="POPULAR") == ["beta", "alpha"]
    await shop.buy((await shop.key("A-1"), 2))
    await count_popularity(shop.kernel)
    assert await slugs(shop, sort="POPULAR") == ["alpha", "beta"]
    rows = await shop.kernel.db.fetch("select slug, popularity from catalog_product order by slug")
    assert [tuple(row) for row in rows] == [("alpha", 3), ("beta", 2)]
    # What was sold long ago does not count: nothing was sold in the days that the settings name
    await shop.kernel.db.execute("alter table catalog_stock_movement disable trigger all")
    await shop.kernel.db.execute("update catalog_stock_movement set at = at - interval '31 days'")
    await count_popularity(shop.kernel)
    assert await shop.kernel.db.fetchval("select sum(popularity) from catalog_product") == 0


async def test_the_category_tree(shop: Shop) -> None:
    await shop.products({}, {"sku": "B-1", "product": "beta", "category": "card", "category_en": "Cards"})
    assert await shop.ask("{ categories { path title children { path title children { path } } } }") == {
        "categories": [
            {"path": "card", "title": "Cards", "children": []},
            {
                "path": "game",
                "title": "Game",
                "children": [{"path": "game/pc", "title": "PC games", "children": []}],
            },
        ]
    }
    assert await shop.ask('{ category(path: "game/pc") { title parent { path } } }') == {
        "category": {"title": "PC games", "parent": {"path": "game"}}
    }
    assert await shop.ask('{ category(path: "none") { title } }') == {"category": None}


async def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")
    await shop.card_file(DATA / "cards-steam-us-20.csv", "STEAM-US-20")
    counts = []
    for first in (1, 5, 78):
        with counted_statements() as statements:
            data = await shop.ask(EVERYTHING, {"first": first})
        assert len(data["products"]["nodes"]) == first
        counts.append(sorted(text.split("\n", 1)[0].removeprefix("-- ") for text in statements))
    assert (
        counts
        == [
            [
                "catalog.available",
                "catalog.most_of_products",
                "catalog.price_ladders",
                "catalog.shop_categories",
                "catalog.shop_products",
                "catalog.shop_products_by_key",
            ]
        ]
        * 3
    )


async def test_what_is_not_asked_for_is_not_read(shop: Shop) -> None:
    await shop.products()
    with counted_statements() as statements:
        await shop.ask("{ products { nodes { slug title } } }")
    assert len(statements) == 1


async def test_the_price_of_a_list_is_the_lowest_of_the_variants(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")
    data = await shop.ask(
        "{ products(first: 100) { nodes { slug priceFrom { amount } variants { price { amount } } } } }"
    )
    for product in data["products"]["nodes"]:
        prices = [Decimal(variant["price"]["amount"]) for variant in product["variants"]]
        assert Decimal(product["priceFrom"]["amount"]) == min(prices), product["slug"]
    assert len(data["products"]["nodes"]) == 78


async def test_only_columns_that_a_document_asks_for_are_read(shop: Shop) -> None:
    await shop.stocked(cards=1)

    async def read(document: str) -> list[str]:
        with counted_statements() as statements:
            await shop.ask(document)
        return [
            text.split(" from ", 1)[0].split("select ", 1)[1] for text in statements if "shop_product" in text
        ]

    assert await read("{ products { nodes { id slug } } }") == [
        "p.id as key, p.position as position, p.slug as slug"
    ]
    fragment = "{ products { edges { node { ...F } } nodes { createdAt } } } fragment F on Product { tags }"
    assert await read(fragment) == [
        "p.id as key, p.position as position, p.created_at as created_at, p.tags as tags"
    ]
    skipped = "query ($yes: Boolean = false) { products { nodes { slug tags @include(if: $yes) } } }"
    assert await read(skipped) == ["p.id as key, p.position as position, p.slug as slug"]
    assert await read('{ product(slug: "alpha") { variants { id stockState: sku } } }') == [
        "p.id as key, array(\n        select row(v.id, v.product, v.sku)"
    ]


async def test_all_ways_to_a_price_give_the_same(shop: Shop) -> None:
    """A price stands in lists, in quotes and as the lowest of a product; one rule makes it."""
    key = await shop.stocked(price="9.9", cost="", min_quantity="3", max_quantity="9")
    await shop.kernel.db.execute(
        """
        insert into catalog_price (id, variant, tier, min_quantity, currency, units)
        select gen_random_uuid(), v.id, r.tier, r.quantity, r.currency, r.units
        from catalog_variant v cross join (values
            ('retail', 2, 'CNY', 90000), ('retail', 4, 'CNY', 80000), ('gold', 4, 'CNY', 70000), ('gold', 3, 'USD', 1)
        ) r (tier, quantity, currency, units)
        """
    )
    await keep_lowest(shop)
    found = await shop.ask("{ products { nodes { priceFrom { amount } variants { id price { amount } } } } }")
    listed = found["products"]["nodes"][0]
    one = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Variant { price { amount } } } }",
        {"id": global_id("Variant", key)},
    )
    request = QuoteRequest(variant=key, quantity=3, tier="retail", currency="CNY")
    (quoted,) = await shop.kernel.services.get(Prices).quote([request])
    assert isinstance(quoted, Quote)
    assert quoted.unit.units == 90000
    assert listed["priceFrom"] == listed["variants"][0]["price"] == one["node"]["price"] == {"amount": "9.00"}
