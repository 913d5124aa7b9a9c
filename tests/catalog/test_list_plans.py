"""What PostgreSQL does for each way to a page: it reads indexes, and sorts nothing where an index has the order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from benchmarks.million_products import fill
from kameng.graphql.pages import PageRequest, write_cursor
from kameng_catalog.known_lists import Kept, KnownLists
from kameng_catalog.list_choice import FILL, KEEP, PUT_KNOWN
from kameng_catalog.shop.filtering import Filter, Way, Ways
from kameng_catalog.shop.ordering import ORDERS, ProductSort

from .conftest import Shop

FILTERS = {
    "nothing": Filter(),
    "category": Filter((("/game",),)),
    "prices": Filter((), 100_000, 5_000_000),
    "few prices": Filter((), 270_000, 275_000),
    "category and prices": Filter((("/game",),), 100_000, 5_000_000),
    "common word": Filter((("充值",),)),
    "rare word": Filter((("4711",),)),
    "category and common word": Filter((("/game",), ("充值", "值卡"))),
    "all of them": Filter((("/game",), ("点卡",)), 100_000, 5_000_000),
}
MIDDLE = {"arranged": [0], "newest": [], "popular": [3], "price-asc": [990_000], "price-desc": [990_000]}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The steps of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("generic", [False, True], ids=["for these values", "for any values"])
async def test_pages_are_read_from_indexes(shop: Shop, *, generic: bool) -> None:
    # Given a catalogue of some size, with what ANALYZE knows of it
    await fill(shop.kernel, 4_000)
    known = await shop.kernel.services.get(KnownLists).read()
    middle = await shop.kernel.db.fetchval(
        "select id from catalog_product where status = 'published' order by id offset 2000 limit 1"
    )
    seen: set[str] = set()

    async def steps(way: Way, tail: str) -> list[dict[str, Any]]:
        option = "generic_plan, " if generic else ""
        sql = f"select p.id from catalog_product p where p.status = 'published' and {way.where} {tail}"
        text = await shop.kernel.db.fetchval(f"explain ({option}format json) {sql}", *way.values)
        return list(nodes(orjson.loads(text)[0]["Plan"]))

    for name, wanted in FILTERS.items():
        for sort in ProductSort:
            order = ORDERS[sort]
            cursor = write_cursor(order.of_products, [*MIDDLE[order.name], middle])
            for page in (
                PageRequest.of(20),
                PageRequest.of(20, cursor),
                PageRequest.of(last=20, before=cursor),
            ):
                tail = page.clauses(order.of_products, 1)[1]
                for way in Ways(wanted, order, page, known, 1):
                    seen.add(way.name)
                    found = await steps(way, tail)
                    # Then no table is read as a whole
                    whole = [step["Relation Name"] for step in found if step["Node Type"] == "Seq Scan"]
                    assert whole == [], (name, sort, way)
                    # and walks find their rows in order: only the page itself is sorted, after it was found
                    sorts = [step for step in found if "Sort" in step["Node Type"]]
                    if way.name == "catalog.shop_products":
                        assert sorts == [], (name, sort, way)
                    elif "walk" in way.name:
                        assert len(sorts) <= 1, (name, sort, way)
                        assert any(step.get("Index Name", "").startswith("catalog_listed_") for step in found)
                        # and there is no value for whose sake the statement would be planned each time
                        assert re.findall(r"(?<!\(select )\$\d+(?!::text\[\])", way.where) == []
    # Given that few prices lie in bands of many products, then their lists can be merged in order
    bands = {term: Kept(kept.listing, 10_000) for term, kept in known.kept.items() if term.startswith("$")}
    many = replace(
        known, products=1_000_000, kept={**known.kept, "/": Kept(known.kept["/"].listing, 970_000), **bands}
    )
    for sort in (ProductSort.ARRANGED, ProductSort.NEWEST, ProductSort.POPULAR):
        page = PageRequest.of(
            20, write_cursor(ORDERS[sort].of_products, [*MIDDLE[ORDERS[sort].name], middle])
        )
        way = next(iter(Ways(Filter((), 255_000, 285_000), ORDERS[sort], page, many, 1)))
        async with shop.kernel.db.transaction():
            # here the bands are small, and sorting is cheaper
            await shop.kernel.db.execute("set local enable_sort = off")
            await shop.kernel.db.execute("set local enable_bitmapscan = off")
            found = await steps(way, page.clauses(ORDERS[sort].of_products, 1)[1])
        assert len(way.lists) > 1
        assert "Merge Append" in [step["Node Type"] for step in found]
        assert len([step for step in found if "Sort" in step["Node Type"]]) <= 1
    assert seen == {
        "catalog.shop_products",
        "catalog.walk_list",
        "catalog.walk_and_filter",
        "catalog.sort_prices",
        "catalog.match_terms",
    }


@pytest.mark.parametrize("sort", list(ProductSort))
async def test_two_lists_that_are_about_as_long_are_read_side_by_side(shop: Shop, sort: ProductSort) -> None:
    # Given two lists of which the longer one has thrice the products of the other, and little in common
    await fill(shop.kernel, 4_000)
    await shop.kernel.db.execute(PUT_KNOWN, ["点卡"], [1_000])
    await shop.kernel.db.execute(KEEP, ["点卡"])
    await shop.kernel.db.execute(FILL, ["点卡"])
    shop.kernel.services.get(KnownLists).forget()
    known = await shop.kernel.services.get(KnownLists).read()
    order = ORDERS[sort]
    by = order.column or "id"
    row = await shop.kernel.db.fetchrow(
        f"""select {by}, id as key from catalog_product
        where status = 'published' and lowest_units is not null and search_terms @> array['/game']
        order by {by}, id offset 500 limit 1"""
    )
    sizes = {"/game": 300_000, "点卡": 100_000, "/": 970_000}
    many = replace(
        known,
        products=1_000_000,
        kept={**known.kept, **{term: Kept(known.kept[term].listing, size) for term, size in sizes.items()}},
    )
    cursor = write_cursor(order.of_products, order.values(row))
    for page in (PageRequest.of(20), PageRequest.of(20, cursor), PageRequest.of(last=20, before=cursor)):
        tail = page.clauses(order.of_products, 1)[1]
        walk, match = Ways(Filter((("/game",), ("点卡",))), order, page, many, 1)

        # Then both are read in their order, until the page is full
        assert walk.name == "catalog.walk_and_filter"
        sql = "select p.id from catalog_product p where p.status = 'published' and {} {}"
        async with shop.kernel.db.transaction():
            # here the lists are small, and a hash is as cheap
            await shop.kernel.db.execute("set local enable_hashjoin = off; set local enable_nestloop = off")
            text = await shop.kernel.db.fetchval(
                f"explain (format json) {sql.format(walk.where, tail)}", *walk.values
            )
        kinds = [step["Node Type"] for step in nodes(orjson.loads(text)[0]["Plan"])]
        assert "Merge Join" in kinds
        assert len([kind for kind in kinds if "Sort" in kind]) <= 1
        # and the page is that which the search index finds
        found = [row["id"] for row in await shop.kernel.db.fetch(sql.format(walk.where, tail), *walk.values)]
        assert found == [
            row["id"] for row in await shop.kernel.db.fetch(sql.format(match.where, tail), *match.values)
        ]
        assert len(found) == 21
    # Given a list that is far longer, then it is not
    long = replace(many, kept={**many.kept, "/game": Kept(known.kept["/game"].listing, 900_000)})
    way = next(iter(Ways(Filter((("/game",), ("点卡",))), order, PageRequest.of(20), long, 1)))
    assert " join " not in way.where


@pytest.mark.parametrize("sort", [ProductSort.PRICE_ASC, ProductSort.PRICE_DESC])
async def test_a_deep_page_of_prices_begins_at_its_cursor(shop: Shop, sort: ProductSort) -> None:
    """Not at the end of the range that was asked for, from where it would read all rows up to the cursor."""
    # Given products of all prices, and a cursor in the middle of a range
    await fill(shop.kernel, 500)
    known = await shop.kernel.services.get(KnownLists).read()
    wanted, order = FILTERS["prices"], ORDERS[sort]
    row = await shop.kernel.db.fetchrow(
        """select lowest_units, id as key from catalog_product where status = 'published'
               and lowest_units between $1 and $2
           order by lowest_units, id offset 100 limit 1""",
        wanted.lowest,
        wanted.highest,
    )

    # Then the walk has one bound on either side: the cursor, and the far end of the range
    cursor = write_cursor(order.of_products, order.values(row))
    (way,) = Ways(wanted, order, PageRequest(size=20, cursor=cursor, backward=False), known, 1)
    assert way.name == "catalog.walk_list"
    near, far = ("units >=", "units <=") if sort is ProductSort.PRICE_ASC else ("units <=", "units >=")
    assert near not in way.where
    assert far in way.where
    # and so it has on the way back
    (way,) = Ways(wanted, order, PageRequest(size=20, cursor=cursor, backward=True), known, 1)
    assert far not in way.where
    assert near in way.where
    # A cursor of another list, from beyond the range, shows nothing beyond it
    beyond = write_cursor(order.of_products, [0 if sort is ProductSort.PRICE_ASC else 10**12, row["key"]])
    (way,) = Ways(wanted, order, PageRequest(size=20, cursor=beyond, backward=False), known, 1)
    found = way.where.removeprefix("p.id = any(array(").removesuffix("))")
    prices = await shop.kernel.db.fetch(
        f"select lowest_units from catalog_product where id in ({found})", *way.values
    )
    assert len(prices) == 21
    assert all(wanted.lowest <= row["lowest_units"] <= wanted.highest for row in prices)
