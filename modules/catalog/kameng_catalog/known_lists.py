"""What a process remembers about the lists, for choosing how to answer a request: never for the answer itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kameng.db import Statement

if TYPE_CHECKING:
    from kameng.kernel import Kernel

FRESH_SECONDS = 60.0
"""So long what is remembered is not read again."""

READ_LISTINGS = Statement(
    "catalog.read_listings", "select id, term, products, listed from catalog_listing where retired_at is null"
)

# As ANALYZE found them; null before its first run.
READ_STATISTICS = Statement(
    "catalog.read_price_statistics",
    """
    select c.reltuples::bigint as products, s.null_frac, s.histogram_bounds::text::bigint[] as bounds,
        s.most_common_vals::text::bigint[] as common, s.most_common_freqs::float8[] as shares
    from pg_class c left join pg_stats s on s.schemaname = c.relnamespace::regnamespace::text
        and s.tablename = c.relname and s.attname = 'lowest_units'
    where c.oid = 'catalog_product'::regclass
    """,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A list that is kept: its number, and about how many products it has."""

    listing: int
    products: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the lists.

    Attributes:
        products: about how many there are; 0 if nobody counted.
        kept: the lists that are kept, by term.
        common: about how many products each other term has that is known to be common.
        bounds: prices that part the products into groups of the same size, but for those with a common price.
        prices: the share of the products that have a common price, by price.
    """

    products: int = 0
    kept: Mapping[str, Kept] = field(default_factory=dict)
    common: Mapping[str, int] = field(default_factory=dict)
    bounds: tuple[int, ...] = ()
    prices: Mapping[int, float] = field(default_factory=dict)

    def share_priced(self, lowest: int, highest: int) -> float:
        """About which share of the products costs from ``lowest`` to ``highest``; 0 if nobody counted."""
        share = sum(share for price, share in self.prices.items() if lowest <= price <= highest)
        others = max(1.0 - sum(self.prices.values()), 0.0)
        groups = list(pairwise(self.bounds))
        within = sum(_part(low, high, lowest, highest) for low, high in groups)
        return min(share + others * within / max(len(groups), 1), 1.0)


def _part(low: int, high: int, lowest: int, highest: int) -> float:
    """Which part of a group lies in a range, as if the group were spread evenly."""
    if highest < low or high < lowest:
        return 0.0
    return 1.0 if high == low else (min(high, highest) - max(low, lowest)) / (high - low)


class KnownLists:
    """Remembers the lists for a minute.

    A list is dropped hours after it was retired, so whoever remembers it for a minute may read it.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db
        self._known: Known | None = None
        self._until = 0.0
        self._reading: asyncio.Task[Known] | None = None

    async def read(self) -> Known:
        """What is known; it is read once in a while, and only the first request waits for it."""
        if self._known is not None and time.monotonic() < self._until:
            return self._known
        if self._reading is None or self._reading.done():
            self._until = time.monotonic() + FRESH_SECONDS
            # For the process: in no transaction of the request, and not among its statements.
            self._reading = asyncio.create_task(self._read(), context=Context())
        if self._known is None:
            self._known = await asyncio.shield(self._reading)
        return self._known

    def forget(self) -> None:
        """Read anew the next time."""
        self._known = None

    async def _read(self) -> Known:
        rows = await self._db.fetch(READ_LISTINGS)
        statistics: Any = await self._db.fetchrow(READ_STATISTICS)
        self._known = Known(
            products=max(statistics["products"], 0),
            kept={row["term"]: Kept(row["id"], row["products"]) for row in rows if row["listed"]},
            common={row["term"]: row["products"] for row in rows if not row["listed"]},
            bounds=tuple(statistics["bounds"] or ()),
            prices=dict(zip(statistics["common"] or (), statistics["shares"] or (), strict=True)),
        )
        return self._known
