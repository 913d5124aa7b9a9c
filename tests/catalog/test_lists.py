"""Every filter in every order, page by page, is what a plain sort of all products says, whichever way it is found."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kameng.db import counted_statements
from kameng.money import UnitPrice
from kameng_catalog import list_choice
from kameng_catalog.known_lists import Kept, Known, KnownLists
from kameng_catalog.list_choice import choose_lists
from kameng_catalog.shop import filtering
from kameng_catalog.shop.ordering import ProductSort

from .conftest import Shop
from .listing_model import Item, listed, read_items

PAGE = """
query ($first: Int, $after: String, $last: Int, $before: String, $category: String, $search: String, $tags: [String!],
    $price: PriceRange, $sort: ProductSort!) {
  products(first: $first, after: $after, last: $last, before: $before, category: $category, search: $search, tags: $tags,
    price: $price, sort: $sort) {
    nodes { slug }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""

FILTERS: list[dict[str, Any]] = [
    {},
    {"category": "game"},
    {"category": "game/pc"},
    {"category": "nowhere"},
    {"category": ""},
    {"search": "卡"},
    {"search": "充值卡"},
    {"search": "ste"},
    {"search": "steam 充值"},
    {"search": "no such word"},
    {"tags": ["hot"]},
    {"tags": ["hot", "new"], "search": "steam"},
    {"price": (100_000, 300_000)},
    {"price": (None, 200_000)},
    {"price": (250_000, None)},
    {"price": (290_000, 310_000)},
    {"price": (290_000, 310_000), "search": "steam"},
    {"price": (300_000, 100_000)},
    {"category": "game", "search": "点卡"},
    {"category": "game", "price": (100_000, 300_000)},
    {"category": "game/pc", "search": "steam", "tags": ["hot"], "price": (None, 300_000)},
]
SORTS = [sort.name for sort in ProductSort]


async def many(shop: Shop, seed: int, count: int = 90) -> list[Item]:
    """A catalogue made by chance, with many equal positions, sales and prices, and products without a price."""
    chance = random.Random(seed)
    lines = []
    for number in range(count):
        brand = chance.choice(["Steam", "Steam", "Stella", "Riot"])
        kind = chance.choice(["充值卡", "充值卡", "点卡", "会员"])
        for variant in range(chance.choice([1, 1, 2])):
            lines.append(
                {
                    "sku": f"S{number}-{variant}",
                    "product": f"p-{number}",
                    "title_zh": f"{kind}{number}",
                    "title_en": brand,
                    "variant_zh": f"{variant} 号",
                    "category": chance.choice(["game", "game/pc", "game/mobile", "card"])
                    if not variant
                    else lines[-1]["category"],
                    "category_zh": "",
                    "category_en": "",
                    "price": str(chance.choice([10, 10, 20, 30, 30, 40])),
                    "currency": chance.choice(["CNY", "CNY", "CNY", "USD"]),
                    "tags": chance.choice(["", "hot", "hot;new"]) if not variant else lines[-1]["tags"],
                    "status": chance.choice(["published", "published", "published", "published", "archived"]),
                }
            )
            if variant:
                lines[-1].update({name: lines[-2][name] for name in ("title_zh", "title_en")})
    report = await shop.products(*lines)
    assert report.applied, report.faults
    await shop.kernel.db.execute(
        "update catalog_product set position = hashtext(slug) % 3, popularity = abs(hashtext(slug || 'x')) % 4"
    )
    return await read_items(shop.kernel.db)


def arguments(wanted: dict[str, Any]) -> dict[str, Any]:
    """The filter as a document's variables."""
    low, high = wanted.get("price", (None, None))
    ends = {"from": low, "to": high}
    price = {name: str(UnitPrice(units, "CNY").amount) for name, units in ends.items() if units is not None}
    return {**wanted, "price": price} if price else {**wanted, "price": None}


async def read(
    shop: Shop, wanted: dict[str, Any], sort: str, size: int, *, backward: bool = False
) -> list[str]:
    """A whole list, in pages from its first row or from its last; the pages say whether more lie on either side."""
    slugs: list[str] = []
    cursor = None
    while True:
        page = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        data = await shop.ask(PAGE, {**arguments(wanted), **page, "sort": sort})
        assert isinstance(data, dict), data
        nodes, info = data["products"]["nodes"], data["products"]["pageInfo"]
        found = [node["slug"] for node in nodes]
        slugs = found + slugs if backward else slugs + found
        assert (info["hasNextPage"] if backward else info["hasPreviousPage"]) is (cursor is not None)
        if not (info["hasPreviousPage"] if backward else info["hasNextPage"]):
            return slugs
        assert len(nodes) == size
        cursor = info["startCursor" if backward else "endCursor"]


async def remember(shop: Shop, kind: str) -> None:
    """Let the shop know nothing of its lists, all of it, or take each term for a common one, which most are not."""
    service = shop.kernel.services.get(KnownLists)
    service.forget()
    known = await service.read()
    if kind == "nothing":
        known = Known(kept={"/": known.kept["/"]})
    if kind == "wrong":
        terms = await shop.kernel.db.fetch(
            "select distinct unnest(search_terms) as term from catalog_product"
        )
        known = Known(
            products=1_000_000,
            kept={
                term: Kept(kept.listing, 10_000 if term.startswith("$") else 900_000)
                for term, kept in known.kept.items()
            },
            common={row["term"]: 300_000 for row in terms}
            | {"such": 300_000, "no": 300_000, "word": 300_000},
            bounds=tuple(range(0, 1_000_000, 50_000)),
        )

    async def read_known() -> Known:
        return known

    service.read = read_known  # type: ignore[method-assign]  # for the life of this kernel


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("kind", "patience"), [("nothing", 4), ("counted", 4), ("wrong", 4), ("wrong", 0)], ids=str
)
async def test_every_filter_in_every_order_is_the_models_list(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, seed: int, kind: str, patience: int
) -> None:
    # Given products made by chance, lists of some words, and right or wrong ideas of how many there are of what
    monkeypatch.setattr(filtering, "PATIENCE", patience)
    monkeypatch.setattr(list_choice, "RARE", 12)
    items = await many(shop, seed)
    if kind != "nothing":
        await choose_lists(shop.kernel)
        assert (
            await shop.kernel.db.fetchval(
                "select count(*) from catalog_listing where listed and term !~ '^[/$]'"
            )
            > 3
        )
        await shop.kernel.db.execute("analyze")
    await remember(shop, kind)
    for wanted in FILTERS:
        for sort in ProductSort:
            # When a list is read in pages, then together they are what a plain sort gives, either way
            whole = listed(items, sort.name, **wanted)
            assert await read(shop, wanted, sort.name, 100) == whole, (wanted, sort)
            assert await read(shop, wanted, sort.name, 7) == whole, (wanted, sort)
            assert await read(shop, wanted, sort.name, 9, backward=True) == whole, (wanted, sort)


async def test_the_filters_of_the_test_are_worth_it(shop: Shop) -> None:
    """Most of them find something, and none finds all but the empty one."""
    items = await many(shop, 1)
    sizes = [len(listed(items, "NEWEST", **wanted)) for wanted in FILTERS]
    assert sum(size > 7 for size in sizes) >= 12
    assert all(size < sizes[0] for size in sizes[1:])
    assert len(listed(items, "PRICE_ASC")) < sizes[0]


async def test_each_way_is_taken_where_it_is_best(shop: Shop) -> None:
    async def ways(sort: str = "POPULAR", **wanted: Any) -> list[str]:
        with counted_statements() as statements:
            await shop.ask(PAGE, {**arguments(wanted), "first": 3, "sort": sort})
        return [text.split("\n", 1)[0].removeprefix("-- catalog.") for text in statements]

    # Given a few products, then what is rare is found and sorted
    await many(shop, 1)
    await remember(shop, "counted")
    assert await ways("NEWEST") == await ways("ARRANGED") == ["shop_products"]
    assert await ways() == await ways(category="game") == ["walk_list"]
    assert await ways(search="steam") == ["match_terms"]
    assert await ways(price=(100_000, 200_000)) == ["sort_prices"]
    assert await ways("PRICE_ASC", price=(100_000, 200_000)) == ["walk_list"]
    # Given a million, then what is common is met on a walk
    await remember(shop, "wrong")
    assert await ways(category="game", search="steam") == ["walk_and_filter"]
    assert await ways(price=(100_000, 200_000)) == ["walk_and_filter"]
    with counted_statements() as statements:
        await shop.ask(PAGE, {**arguments({"price": (290_000, 310_000)}), "first": 3, "sort": "POPULAR"})
    assert "union all" in statements[0]
    # and where it is not met after all, everything that matches is looked at, unless the walk came to the list's end
    assert await ways(search="no such word") == ["walk_and_filter", "count_walked"]


async def test_a_price_that_is_none_is_refused(shop: Shop) -> None:
    answer = await shop.ask('{ products(price: {from: "-1"}) { nodes { slug } } }')
    assert [error["extensions"]["code"] for error in answer.errors] == ["INVALID_INPUT"]
    answer = await shop.ask('{ products(price: {to: "1.00001"}) { nodes { slug } } }')
    assert [error["extensions"]["code"] for error in answer.errors] == ["INVALID_INPUT"]
