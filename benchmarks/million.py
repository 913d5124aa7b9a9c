"""A page out of many products beside the same page out of ten thousand: filtered and sorted, first and deep.

``graphql/million-first`` and ``graphql/million-deep``: what a request costs in the larger shop, divided by what it costs in the
smaller one, for the worst of all combinations of a filter and an order. Each shop has its own PostgreSQL and web process;
both are asked in turn. All combinations are measured briefly, then the worst of them again and longer, so that the noise of a
shared machine is not taken for the worst.
"""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import Figure, median, say
from benchmarks.load import lua, run_wrk
from benchmarks.million_products import fill
from benchmarks.running import services, web
from kameng.graphql.pages import write_cursor
from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng_catalog.shop.listing import PriceRange, filter_of
from kameng_catalog.shop.ordering import ORDERS, ProductSort

PAGE = (
    "query Page($first: Int!, $after: String, $category: String, $search: String, $price: PriceRange, $sort: ProductSort!) { "
    "products(first: $first, after: $after, category: $category, search: $search, price: $price, sort: $sort) { nodes { "
    "id slug title description tags createdAt priceFrom { amount currency } } pageInfo { hasNextPage endCursor } } }"
)
FEW = 10_000
CONNECTIONS = 8
CURSORS = 20

FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "large category": {"category": "game"},
    "small category": {"category": "software/s3"},
    "prices": {"price": {"from": "10", "to": "50"}},
    "few prices": {"price": {"from": "27", "to": "27.50"}},
    "common word": {"search": "充值卡"},
    "word": {"search": "典藏版"},
    "two words": {"search": "美区 季卡"},
    "category and prices": {"category": "game", "price": {"from": "10", "to": "50"}},
    "category and word": {"category": "game", "search": "日服"},
    "category, prices and word": {"category": "game", "search": "点卡", "price": {"from": "20", "to": "100"}},
}
SORTS = (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC, ProductSort.POPULAR, ProductSort.NEWEST)

ASK = """
local bodies = %s
local number = 0
wrk.method = "POST"
wrk.path = "/graphql/shop"
wrk.headers["content-type"] = "application/json"
request = function()
    number = number %% #bodies + 1
    return wrk.format(nil, nil, nil, bodies[number])
end
"""


@dataclass(frozen=True)
class Size:
    """How much a run measures.

    Attributes:
        many: products of the larger shop.
        seconds: of one brief look at a combination.
        again: how many of the worst are measured again, at least.
        rounds: how often.
        longer: seconds of each of these rounds.
    """

    many: int
    seconds: float
    again: int
    rounds: int
    longer: float


SIZES = {
    "small": Size(many=200_000, seconds=1, again=3, rounds=3, longer=3),
    "full": Size(many=1_000_000, seconds=1, again=5, rounds=5, longer=5),
}


@dataclass
class Shop:
    """A running shop, and what it is asked: a load for each combination."""

    products: int
    url: str = ""
    scripts: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass
class Cost:
    """What a request cost: milliseconds of the web process, one after the other."""

    many: list[float] = field(default_factory=list)
    few: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How much dearer the larger shop is."""
        return median(self.many) / median(self.few)

    @property
    def least(self) -> float:
        """The same by the least readings, which noise can only raise."""
        return min(self.many) / min(self.few)


async def measure(size: str) -> list[Figure]:
    """The worst first page and the worst deep one."""
    wanted = SIZES[size]
    async with AsyncExitStack() as stack:
        shops = []
        for products in (wanted.many, FEW):
            _, settings = await stack.enter_async_context(services())
            shop = await _prepare(settings, products)
            shop.url = await stack.enter_async_context(web(settings))
            shops.append(shop)
        return [await _worst(name, shops, wanted) for name in ("first", "deep")]


async def _worst(name: str, shops: list[Shop], wanted: Size) -> Figure:
    many, few = shops
    names = [what for place, what in many.scripts if place == name]
    brief = {what: Cost() for what in names}
    for what in names:
        for _ in range(2):
            await _round(brief[what], (name, what), many, few, wanted.seconds)
        say(f"{name}, {what}: {brief[what].least:.2f}")
    # The rest is not looked at again once none of it looked worse than what was measured well.
    left = sorted(names, key=lambda what: brief[what].least, reverse=True)
    well: dict[str, Cost] = {}
    while left and (
        len(well) < wanted.again or brief[left[0]].least > max(cost.ratio for cost in well.values())
    ):
        what = left.pop(0)
        well[what] = Cost()
        for _ in range(wanted.rounds):
            await _round(well[what], (name, what), many, few, wanted.longer)
        say(f"{name}, {what}: {well[what].ratio:.2f}")
    what, *others = sorted(well, key=lambda what: well[what].ratio, reverse=True)
    return Figure(
        name=f"graphql/million-{name}",
        ours=median(well[what].many),
        reference=median(well[what].few),
        reference_is=f"the same page out of {few.products:,} products instead of {many.products:,}",
        unit="ms/request",
        better="lower",
        notes=f"worst of {len(names)} combinations: {what}; then "
        + ", ".join(f"{key} {well[key].ratio:.2f}" for key in others[:4]),
    )


async def _round(cost: Cost, key: tuple[str, str], many: Shop, few: Shop, seconds: float) -> None:
    for shop, readings in ((many, cost.many), (few, cost.few)):
        load = await run_wrk(shop.url, shop.scripts[key], connections=CONNECTIONS, seconds=seconds)
        if load.failed:
            raise RuntimeError(f"{key} of {shop.products:,} products: {load.failed} requests failed")
        readings.append(1000 / load.rate)


async def _prepare(settings: Settings, products: int) -> Shop:
    shop = Shop(products)
    async with Kernel(settings) as kernel:
        kernel.db.use()
        await fill(kernel, products)
        for name, variables in FILTERS.items():
            for sort in SORTS:
                what = f"{name} by {sort.name}"
                asked = {"first": 20, "sort": sort.name, **variables}
                shop.scripts["first", what] = _script([asked])
                deep = [{**asked, "after": cursor} async for cursor in _middle(kernel, variables, sort)]
                shop.scripts["deep", what] = _script(deep)
        await kernel.db.execute("checkpoint")
    return shop


async def _middle(kernel: Kernel, variables: dict[str, Any], sort: ProductSort) -> AsyncIterator[str]:
    """Cursors around the middle of a list."""
    order = ORDERS[sort]
    price = variables.get("price")
    wanted = filter_of(
        category=variables.get("category"),
        search=variables.get("search"),
        tags=None,
        price=PriceRange(from_=price["from"], to=price["to"]) if price else None,
        currency="CNY",
    )
    columns = ", ".join(
        f"{sql} {'desc' if order.descending else 'asc'}" for sql, _ in order.of_products.columns
    )
    rows = await kernel.db.fetch(
        f"""
        with found as (
            select p.*, row_number() over (order by {columns}) as place, count(*) over () as all_of_them
            from catalog_product p
            where status = 'published' and search_terms @> $1::text[] and lowest_units between $2 and $3
        )
        select p.*, id as key from found p where place between all_of_them / 2 - $4 and all_of_them / 2 order by place
        """,
        list(wanted.terms),
        wanted.lowest or 0,
        wanted.highest or 2**62,
        CURSORS,
    )
    for row in rows:
        yield write_cursor(order.of_products, order.values(row))


def _script(variables: list[dict[str, Any]]) -> str:
    bodies = [json.dumps({"query": PAGE, "variables": given}) for given in variables]
    return ASK % lua(bodies)
