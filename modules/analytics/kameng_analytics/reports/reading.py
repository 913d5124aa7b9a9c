"""Reading reports: figures by day, week or month and by dimension, and the facts behind a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.db import Database
from kameng.errors import InvalidInput
from kameng.graphql.pages import Keyset, PageRequest
from kameng_catalog.shelves_contract import Shelves

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LONGEST = 3 * 366
"""Days of one report."""

ROWS = Keyset("report-rows", (("r.period", "date"), ("r.value", "text")), descending=True)
"""Rows of a report, the newest period first."""

FACTS = Keyset("report-facts", (("f.id", "uuid"),), descending=True)
"""Facts, those booked last first."""

_SUMMED = ("orders", "pieces", "turnover", "refunded_pieces", "refunds", "cost", "fees", "late")


class Grain(StrEnum):
    """How long a period of a report is; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Dimension(StrEnum):
    """By what figures are told apart."""

    ALL = "all"
    PRODUCT = "product"
    CATEGORY = "category"
    GATEWAY = "gateway"
    LEVEL = "level"
    SITE = "site"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is about.

    Attributes:
        since, until: business days, both included.
        currency: ISO 4217.
        grain, dimension: how it is divided.
        value: of this value of the dimension alone; the empty one stands for what is not known.
    """

    since: date
    until: date
    currency: str
    grain: Grain = Grain.DAY
    dimension: Dimension = Dimension.ALL
    value: str | None = None

    def check(self) -> Asked:
        """Itself, if it can be answered.

        Raises:
            InvalidInput: the days are in the wrong order or too many, or the value is none of the dimension.
        """
        if not 0 <= (self.until - self.since).days < LONGEST:
            raise InvalidInput(
                f"A report spans 1 to {LONGEST} days; this would be {self.since} to {self.until}.",
                cure="Let `since` be the earlier day, or ask for less at once.",
                path=("since",),
            )
        if self.value and self.dimension in (Dimension.PRODUCT, Dimension.CATEGORY):
            try:
                UUID(self.value)
            except ValueError as error:
                raise InvalidInput(
                    "This is no key of the dimension.", cure="Take the key of a row.", path=("value",)
                ) from error
        return self


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a report; amounts in minor units.

    Attributes:
        period: the first day of the period.
        value: of the dimension.
        orders, pieces: what was sold.
        turnover: all that came to the sales account.
        refunded_pieces, refunds: what was given back.
        cost: what delivered pieces cost, as far as that is known.
        fees: what gateways kept.
        late: how many facts belong to days that were closed when they came.
    """

    period: date
    value: str
    orders: int
    pieces: int
    turnover: int
    refunded_pieces: int
    refunds: int
    cost: int
    fees: int
    late: int

    @property
    def gross_profit(self) -> int:
        """Turnover less refunds and cost; fees stand beside it."""
        return self.turnover - self.refunds - self.cost

    def days(self, asked: Asked) -> tuple[date, date]:
        """The first and the last day of the period that the report covers."""
        last = self.period
        if asked.grain is Grain.WEEK:
            last += timedelta(days=6)
        elif asked.grain is Grain.MONTH:
            last = (self.period.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        return max(self.period, asked.since), min(last, asked.until)


class StoredFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact; see `kameng_analytics.reports.tables.FactTable`."""

    id: UUID
    kind: str
    day: date
    own_day: date
    at: datetime
    currency: str
    order_id: UUID | None
    number: str
    line: UUID | None
    product: UUID | None
    transaction: UUID | None
    pieces: int
    amount: int


async def report_rows(db: Database, asked: Asked, page: PageRequest | None) -> list[Row]:
    """Rows of a report: a page, with one more than asked for, or all. One statement, served by ``analytics_figure_dimension``."""
    behind, tail, cursor = (
        page.clauses(ROWS, 7) if page else ("true", "order by r.period desc, r.value desc", [])
    )
    sums = ", ".join(f"sum(f.{name})::bigint as {name}" for name in _SUMMED)
    rows = await db.fetch(
        f"""
        select r.* from (
            select date_trunc($1::text, f.day::timestamp)::date as period, f.value, {sums}
            from analytics_figure f
            where f.dimension = $2 and f.currency = $3 and f.day between $4 and $5
                and ($6::text is null or f.value = $6)
            group by 1, 2
        ) as r where {behind} {tail}
        """,
        asked.grain.value,
        asked.dimension.value,
        asked.currency,
        asked.since,
        asked.until,
        asked.value,
        *cursor,
    )
    return [Row(**dict(row)) for row in rows]


async def fact_page(db: Database, asked: Asked, kinds: Sequence[str], page: PageRequest) -> list[StoredFact]:
    """A page of the facts behind a figure, with one more than asked for. One statement."""
    behind, tail, cursor = page.clauses(FACTS, 6)
    matches = {
        Dimension.ALL: "$5::text is null or true",
        Dimension.PRODUCT: "$5::text is null or f.product is not distinct from nullif($5, '')::uuid",
        Dimension.CATEGORY: "$5::text is null or f.category is not distinct from nullif($5, '')::uuid",
        Dimension.GATEWAY: "$5::text is null or f.gateway = $5",
        Dimension.LEVEL: "$5::text is null or f.level = $5",
        Dimension.SITE: "$5::text is null or f.site = $5",
    }[asked.dimension]
    columns = ", ".join(f"f.{name}" for name in StoredFact.__struct_fields__)
    rows = await db.fetch(
        f"""
        select {columns} from analytics_fact f
        where f.day between $1 and $2 and f.currency = $3 and (cardinality($4::text[]) = 0 or f.kind = any($4))
            and ({matches}) and {behind} {tail}
        """,
        asked.since,
        asked.until,
        asked.currency,
        list(kinds),
        asked.value,
        *cursor,
    )
    return [StoredFact(**dict(row)) for row in rows]


async def facts_by_id(db: Database, keys: Sequence[UUID]) -> list[StoredFact | None]:
    """Facts by their keys, in order. One statement."""
    columns = ", ".join(StoredFact.__struct_fields__)
    rows = await db.fetch(f"select {columns} from analytics_fact where id = any($1::uuid[])", list(keys))
    found = {row["id"]: StoredFact(**dict(row)) for row in rows}
    return [found.get(key) for key in keys]


async def labels_of(
    kernel: Kernel, dimension: Dimension, values: Sequence[str], locale: str
) -> dict[str, str]:
    """What the values of a dimension are called; those that have no name but themselves stand for themselves. One statement."""
    keys = sorted({UUID(value) for value in values if value}) if dimension in _KEYED else []
    titles: Mapping[UUID, Mapping[str, Any]] = {}
    if keys:
        shelves = kernel.services.get(Shelves)
        if dimension is Dimension.PRODUCT:
            titles = {key: shelf.titles for key, shelf in (await shelves.of(keys)).items()}
        else:
            titles = await shelves.titles(keys)
    named = {str(key): _title(own, locale) for key, own in titles.items()}
    return {value: named.get(value, value) for value in values}


_KEYED = (Dimension.PRODUCT, Dimension.CATEGORY)


def _title(titles: Mapping[str, Any], locale: str) -> str:
    return str(titles.get(locale) or next(iter(titles.values()), ""))
