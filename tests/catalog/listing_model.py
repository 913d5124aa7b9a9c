"""What lists and the prices that they go by should be, computed in plain Python from products, variants and prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from kameng_catalog.searching import asked_terms, product_terms

if TYPE_CHECKING:
    from kameng.db import Database


@dataclass(frozen=True)
class Item:
    """A product with all that lists look at."""

    key: UUID
    slug: str
    path: str
    tags: tuple[str, ...]
    status: str
    position: int
    popularity: int
    lowest: int | None
    terms: frozenset[str]


async def read_items(db: Database, currency: str = "CNY") -> list[Item]:
    """All products."""
    variants: dict[UUID, list[Any]] = defaultdict(list)
    for row in await db.fetch("select * from catalog_variant order by position, id"):
        variants[row["product"]].append(row)
    prices: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    for row in await db.fetch(
        "select * from catalog_price where tier = 'retail' and currency = $1 order by min_quantity", currency
    ):
        prices[row["variant"]].append((row["min_quantity"], row["units"]))
    items = []
    for row in await db.fetch(
        "select p.*, c.path from catalog_product p join catalog_category c on c.id = p.category"
    ):
        texts = [*orjson.loads(row["titles"]).values(), row["slug"], *row["tags"]]
        lowest = []
        for variant in variants[row["id"]]:
            texts += [variant["sku"], *orjson.loads(variant["titles"]).values()]
            reached = [units for least, units in prices[variant["id"]] if least <= variant["min_quantity"]]
            if variant["status"] == "published" and reached:
                lowest.append(reached[-1])
        items.append(
            Item(
                key=row["id"], slug=row["slug"], path=row["path"], tags=tuple(row["tags"]), status=row["status"],
                position=row["position"], popularity=row["popularity"], lowest=min(lowest, default=None),
                terms=frozenset(product_terms(row["path"], row["tags"], texts)),
            )
        )  # fmt: skip
    return items


def listed(
    items: Sequence[Item],
    sort: str,
    *,
    category: str | None = None,
    search: str | None = None,
    tags: Sequence[str] = (),
    price: tuple[int | None, int | None] = (None, None),
) -> list[str]:
    """The slugs of a list, whole."""
    low, high = price

    def passes(item: Item) -> bool:
        if item.status != "published" or (sort.startswith("PRICE") and item.lowest is None):
            return False
        if category is not None and item.path != category and not item.path.startswith(f"{category}/"):
            return False
        if not set(asked_terms(search or "")) <= item.terms or not set(tags) <= set(item.tags):
            return False
        if low is None and high is None:
            return True
        return item.lowest is not None and (low or 0) <= item.lowest and (high is None or item.lowest <= high)

    keys: dict[str, Any] = {
        "ARRANGED": lambda item: (item.position, item.key),
        "NEWEST": lambda item: item.key,
        "POPULAR": lambda item: (item.popularity, item.key),
        "PRICE_ASC": lambda item: (item.lowest, item.key),
        "PRICE_DESC": lambda item: (item.lowest, item.key),
    }
    falling = sort in ("NEWEST", "POPULAR", "PRICE_DESC")
    return [item.slug for item in sorted(filter(passes, items), key=keys[sort], reverse=falling)]


def band(units: int) -> str:
    """The list of prices like this one."""
    return f"${floor(log(units) * 10)}"


async def assert_in_step(db: Database, currency: str = "CNY") -> None:
    """What is derived is what it should be: prices and terms of all products, and the rows of all lists."""
    items = await read_items(db, currency)
    rows = await db.fetch("select id, lowest_units, search_terms from catalog_product")
    assert {row["id"]: row["lowest_units"] for row in rows} == {item.key: item.lowest for item in items}
    assert {row["id"]: frozenset(row["search_terms"]) for row in rows} == {
        item.key: item.terms for item in items
    }
    lists = {
        row["term"]: row["id"] for row in await db.fetch("select id, term from catalog_listing where listed")
    }
    assert {"/", *(term for item in items for term in item.terms if term.startswith("/"))} <= set(lists)
    assert {f"${number}" for number in range(437)} <= set(lists)
    assert {tuple(row) for row in await db.fetch("select * from catalog_listed")} == {
        (lists[term], item.key, item.position, item.popularity, item.lowest)
        for item in items
        if item.status == "published"
        for term in {"/", *item.terms, *([] if item.lowest is None else [band(item.lowest)])} & set(lists)
    }
