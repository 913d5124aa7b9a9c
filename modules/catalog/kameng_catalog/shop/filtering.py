"""How to find a page of the products that pass a filter, in a given order, without looking at many others.

No single way is quick for every filter. There are three, and estimates choose between them:

- **walk**: go through the smallest list that is kept, in the order asked for, from the cursor on, and take what passes the
  rest of the filter. Best where much of the list passes; exact and shortest where the list itself is the filter. For few
  prices these are the lists of their bands, merged.
- **sort**: take all of a list that lies in the range of prices, and sort it. Best where that is little.
- **match**: take all that the search index finds for all terms at once, and sort it. Best where one term is rare.

An estimate may be wrong: what passes can be few where terms hardly meet, or lie far from the cursor. So a walk that filters
is bounded, and when it ends without a full page, a way follows that finds everything.

PostgreSQL plans a statement anew for each execution as long as it believes that knowing the values makes a better plan. Here it
never does, and planning costs more than the whole page. So values that it would look at stand in sub-selects of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf, prod
from operator import itemgetter
from typing import Any

from kameng.graphql.pages import PageRequest, read_cursor
from kameng_catalog.known_lists import Kept, Known
from kameng_catalog.listing_tables import EVERYTHING, price_bands
from kameng_catalog.shop.conditions import Condition
from kameng_catalog.shop.ordering import Order

HIGHEST = 2**63 - 1
"""As high as a price can be."""

WALKED, PROBED, CHECKED, SORTED, INDEXED = 0.15, 0.6, 2.0, 1.0, 0.01
"""What a row costs about, in microseconds: read from a list's index, looked for in another list, looked up among the products,
fetched and sorted, or read from the search index.
"""

BEGUN = 5.0
"""What each list of a walk costs in the same measure before its first row."""

MOST_BANDS = 40
"""Lists of bands that are merged at most."""

PATIENCE = 4
"""A walk goes so many times as far as it should need."""

UNKNOWN_WALK = 4_096
"""How far a walk goes that looks for something whose share nobody knows."""

_PARAMETER = re.compile(r"\$\d+(::\w+)*")


@dataclass(frozen=True, slots=True)
class Filter:
    """What products of a list have in common.

    Attributes:
        words: they have all terms of all of these; see `searching`. What stands together was asked for as one word.
        lowest, highest: their price lies between these, in units; None where no price is asked for.
        others: what they are looked at for one by one.
    """

    words: tuple[tuple[str, ...], ...] = ()
    lowest: int | None = None
    highest: int | None = None
    others: tuple[Condition, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """All terms, each once."""
        return tuple(dict.fromkeys(term for word in self.words for term in word))

    @property
    def priced(self) -> bool:
        """Whether it asks for a price."""
        return self.lowest is not None or self.highest is not None

    def conditions(self, sql: _Sql, units: str) -> list[str]:
        """The prices asked for, as conditions on a column."""
        ends = ((">=", self.lowest), ("<=", self.highest))
        return [f"{units} {sign} {sql.hidden(end, 'bigint')}" for sign, end in ends if end is not None]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to find the page.

    Attributes:
        name: of its statement.
        where: a condition on products ``p``.
        values: of its parameters.
        lists, bound: of a walk that ends after so many rows of these lists; 0 for a way that finds everything.
    """

    name: str
    where: str
    values: tuple[Any, ...]
    lists: tuple[Kept, ...] = ()
    bound: int = 0


class Ways:
    """The ways to one page, the one that should be quickest first; the last one finds everything.

    Args:
        wanted: the filter.
        order: the order.
        page: which page.
        known: what is known of the lists.
        free: the number of the first parameter that is free.
    """

    def __init__(self, wanted: Filter, order: Order, page: PageRequest, known: Known, free: int) -> None:
        self._wanted = wanted
        self._order = order
        self._page = page
        self._known = known
        self._free = free

    def __iter__(self) -> Iterator[Way]:
        wanted, known = self._wanted, self._known
        if wanted.others:
            term, base = self._smallest()
            rest = tuple(asked for asked in wanted.terms if asked != term)
            yield self._walk((base,), rest, UNKNOWN_WALK)
            yield self._match()
            return
        if (
            not wanted.words
            and not wanted.priced
            and (not self._order.column or self._order.name == "arranged")
        ):
            yield self._direct()
            return
        term, base = self._smallest()
        terms = wanted.terms
        rest = tuple(asked for asked in terms if asked != term)
        price = known.share_priced(*self._range()) if wanted.priced else 1.0
        if not rest and (not wanted.priced or self._order.by_price):
            yield self._walk((base,))
            return
        if any(asked not in known.kept and asked not in known.common for asked in rest):
            yield self._match()
            return
        # The terms of one word mostly come together, so its rarest one says how many products have it.
        passing = prod(min(map(self._share, word)) for word in wanted.words if term not in word)
        size = base.products or known.products
        found = size * passing * price
        every = found * SORTED + (sum(map(self._share, terms)) * known.products * INDEXED if rest else 0)
        # A range of the order itself is not walked past: the walk begins and ends in it.
        walks = [self._walked_past((base,), rest, passing * (1.0 if self._order.by_price else price))]
        if bands := self._bands():
            within = found / max(sum(band.products for band in bands), 1)
            walks.append(self._walked_past(bands, terms, min(within, 1.0)))
        cost, steps, lists, checked = min(walks, key=itemgetter(0))
        if cost < every:
            yield self._walk(lists, checked, 1 << int(steps * PATIENCE).bit_length())
        yield self._match() if rest else self._sort(base)

    def _walked_past(
        self, lists: tuple[Kept, ...], terms: tuple[str, ...], passing: float
    ) -> tuple[float, float, tuple[Kept, ...], tuple[str, ...]]:
        """What a walk through lists should cost and how long it should be, if it has to look for terms."""
        if not passing:
            return inf, inf, lists, terms
        steps = (self._page.size + 1) / passing
        step = WALKED * (1 if len(lists) == 1 else 2) + PROBED * sum(
            asked in self._known.kept for asked in terms
        )
        step += CHECKED if any(asked not in self._known.kept for asked in terms) else 0
        return steps * step + BEGUN * len(lists), steps, lists, terms

    def _bands(self) -> tuple[Kept, ...]:
        """The lists of the bands that the prices asked for lie in, unless the order goes by price or they are many."""
        if not self._wanted.priced or self._order.by_price:
            return ()
        lowest, highest = self._range()
        bands = price_bands(lowest, max(lowest, highest))
        if len(bands) > MOST_BANDS or any(band not in self._known.kept for band in bands):
            return ()
        lists = tuple(self._known.kept[band] for band in bands)
        # Lists that nobody counted yet may be as large as any.
        return lists if any(band.products for band in lists) else ()

    def _range(self) -> tuple[int, int]:
        wanted = self._wanted
        return wanted.lowest or 0, HIGHEST if wanted.highest is None else wanted.highest

    def _share(self, term: str) -> float:
        kept = self._known.kept.get(term)
        products = kept.products if kept else self._known.common.get(term, 0)
        return min(products / self._known.products, 1.0) if self._known.products else 0.0

    def _smallest(self) -> tuple[str, Kept]:
        kept = self._known.kept
        term = min(
            (term for term in (*self._wanted.terms, EVERYTHING) if term in kept),
            # A list that nobody counted yet may be as large as any.
            key=lambda term: (kept[term].products or self._known.products, term == EVERYTHING),
        )
        return term, kept[term]

    # -- the statements -------------------------------------------------------------------------------------------

    def _direct(self) -> Way:
        cursor, _, values = self._page.clauses(self._order.of_products, self._free)
        return Way("catalog.shop_products", cursor, tuple(values))

    def _walk(self, lists: tuple[Kept, ...], rest: tuple[str, ...] = (), bound: int = 0) -> Way:
        sql = _Sql(self._free)
        walked, tail = self._walked(sql, lists, bound)
        if not bound:
            return Way("catalog.walk_list", _those(f"select l.product from ({walked}) l"), tuple(sql.values))
        checks = [] if self._order.by_price else self._prices(sql, "l.units")
        beside = self._beside(lists, rest)
        merged = self._merged(sql, self._known.kept[beside]) if beside else ""
        # Each as a value of its own: one step in an index for each row that comes by, until the page is full.
        checks += [
            "(select true from catalog_listed o"
            f" where o.listing = {sql.hidden(self._known.kept[term].listing, 'int')} and o.product = l.product)"
            for term in rest
            if term in self._known.kept and term != beside
        ]
        if others := [term for term in rest if term not in self._known.kept]:
            checks.append(
                "(select q.search_terms from catalog_product q where q.id = l.product)"
                f" @> {sql.parameter(others)}::text[]"
            )
        if wanted := self._looked_at(sql):
            checks.append(f"exists (select from catalog_product q where q.id = l.product and {wanted})")
        found = f"select l.product from ({walked}) l{merged} where {' and '.join(checks) or 'true'} {tail}"
        return Way("catalog.walk_and_filter", _those(found), tuple(sql.values), lists, bound)

    def _beside(self, lists: tuple[Kept, ...], rest: tuple[str, ...]) -> str | None:
        """The term whose list is read side by side with the one that is walked, for being not much longer."""
        if len(lists) > 1:
            return None
        longest = (lists[0].products or self._known.products) * PROBED / WALKED
        size, term = min(
            ((self._known.kept[term].products or inf, term) for term in rest if term in self._known.kept),
            default=(inf, ""),
        )
        return term if size <= longest else None

    def _merged(self, sql: _Sql, kept: Kept) -> str:
        """A join with another list, which has the same order."""
        passing, order, _ = self._from_the_cursor(sql)
        columns = [column.removeprefix("l.") for column, _ in self._order.of_listed.columns]
        same = " and ".join(f"o.{column} = l.{column}" for column in columns)
        # Its order keeps the planner from anything but a merge that ends with the page.
        return (
            f" join (select l.* from catalog_listed l where l.listing = {sql.hidden(kept.listing, 'int')}"
            f" and {passing} {order}) o on {same}"
        )

    def _walked(self, sql: _Sql, lists: tuple[Kept, ...], bound: int) -> tuple[str, str]:
        """The rows of lists from the cursor on, and the order and limit of the page."""
        passing, order, tail = self._from_the_cursor(sql)
        end = f"{order} limit {bound}" if bound else tail
        # Each list in order by itself, so that they can be merged without sorting.
        each = [
            f"select l.* from catalog_listed l where l.listing = {sql.hidden(kept.listing, 'int')} and {passing} {end}"
            for kept in lists
        ]
        merged = " union all ".join(f"({one})" for one in each)
        return each[0] if len(each) == 1 else f"select l.* from ({merged}) l {end}", tail

    def _from_the_cursor(self, sql: _Sql) -> tuple[str, str, str]:
        """Which rows of a list come after the cursor, their order, and the order with the page's limit."""
        cursor, tail = sql.page(self._page, self._order)
        # In the order of prices a range of them is a part of the way; in any other it is looked at on the way.
        range_ = self._range_on_the_way(sql) if self._order.by_price else ()
        return " and ".join((cursor, *range_)), tail.rpartition(" limit ")[0], tail

    def count(self, way: Way) -> tuple[str, list[Any]]:
        """The statement that tells how far a bounded walk could go, and its parameters."""
        sql = _Sql(1)
        walked, _ = self._walked(sql, way.lists, way.bound)
        return f"select count(*) from ({walked}) l", sql.values

    def _sort(self, base: Kept) -> Way:
        sql = _Sql(self._free)
        cursor, tail = sql.page(self._page, self._order)
        conditions = [f"l.listing = {sql.hidden(base.listing, 'int')}", *self._prices(sql, "l.units")]
        # OFFSET 0 keeps the planner from walking in the list's order instead.
        range_ = f"select * from catalog_listed l where {' and '.join(conditions)} offset 0"
        return Way(
            "catalog.sort_prices",
            _those(f"select l.product from ({range_}) l where {cursor} {tail}"),
            tuple(sql.values),
        )

    def _match(self) -> Way:
        sql = _Sql(self._free)
        cursor, tail = sql.page(self._page, self._order)
        conditions = [
            "q.status = 'published'",
            f"q.search_terms @> {sql.parameter(list(self._wanted.terms))}::text[]",
            *self._prices(sql, "q.lowest_units"),
            *([looked_at] if (looked_at := self._looked_at(sql)) else []),
        ]
        matches = (
            "select q.id as product, q.position, q.popularity, q.lowest_units as units from catalog_product q"
            f" where {' and '.join(conditions)} offset 0"
        )
        return Way(
            "catalog.match_terms",
            _those(f"select l.product from ({matches}) l where {cursor} {tail}"),
            tuple(sql.values),
        )

    def _looked_at(self, sql: _Sql) -> str:
        """What products ``q`` are looked at for one by one, as a condition."""
        return " and ".join(condition.sql(sql.parameter) for condition in self._wanted.others)

    def _range_on_the_way(self, sql: _Sql) -> list[str]:
        """The ends of the prices asked for, in an order of prices; without the end that lies behind the cursor.

        PostgreSQL begins a walk at one bound only, and of a cursor and a plain bound it takes the plain one, from which it
        would read all rows up to the cursor.
        """
        passed = self._units_of_cursor()
        if passed is None:
            return self._prices(sql, "l.units")
        wanted = self._wanted
        if self._order.descending != self._page.backward:
            highest = wanted.highest if wanted.highest is not None and passed > wanted.highest else None
            left = replace(wanted, highest=highest)
        else:
            lowest = wanted.lowest if wanted.lowest is not None and passed < wanted.lowest else None
            left = replace(wanted, lowest=lowest)
        # The index of prices has none but products with one, and is used where that is said.
        return left.conditions(sql, "l.units") or ["l.units is not null"]

    def _units_of_cursor(self) -> int | None:
        if self._page.cursor is None:
            return None
        with suppress(ValueError):  # a cursor that nobody gave out, which the statement refuses
            return int(read_cursor(self._page.cursor, self._order.of_listed)[0])
        return None

    def _prices(self, sql: _Sql, units: str) -> list[str]:
        conditions = self._wanted.conditions(sql, units)
        if not conditions and self._order.by_price:
            conditions.append(f"{units} is not null")
        return conditions


class _Sql:
    """The parameters of a statement under construction."""

    def __init__(self, free: int) -> None:
        self._free = free
        self.values: list[Any] = []

    def parameter(self, value: Any) -> str:
        self.values.append(value)
        return f"${self._free + len(self.values) - 1}"

    def hidden(self, value: Any, kind: str) -> str:
        return f"(select {self.parameter(value)}::{kind})"

    def page(self, page: PageRequest, order: Order) -> tuple[str, str]:
        cursor, tail, values = page.clauses(order.of_listed, self._free + len(self.values))
        self.values += values
        return _PARAMETER.sub(r"(select \g<0>)", cursor), tail


def _those(found: str) -> str:
    return f"p.id = any(array({found}))"
