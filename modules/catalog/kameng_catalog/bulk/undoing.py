"""Undoing what jobs did: each row is put back as it was, unless somebody has changed it since; what became of it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import orjson

from kameng.db import Statement
from kameng.errors import Refusal
from kameng_catalog.bulk.reporting import report_of_undone
from kameng_catalog.exporting.texts import units_text
from kameng_catalog.importing.product_undo import CATEGORY, PRODUCT, VARIANT
from kameng_catalog.json_rows import json_rows
from kameng_catalog.listings import lock_products, refresh_products
from kameng_catalog.price_writing import Author, PriceChange, note_costs, write_prices
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.jobs import JobReport, JobRun

CHUNK = 500
"""Rows of one chunk."""

RESTORED = "restored"

GONE = "is gone"

Row = Mapping[str, Any]

_JSON = frozenset({"titles", "descriptions", "form"})

PRODUCTS_TOUCHED = Statement(
    "catalog.undo_products_touched",
    """
    select id from catalog_product where id = any($1::uuid[])
    union select product from catalog_variant where id = any($1::uuid[])
    """,
)

CURRENT_PRICES = Statement(
    "catalog.undo_current_prices",
    """
    select r.place, v.id is not null as there, coalesce(p.units, s.units) as units
    from jsonb_to_recordset($1::jsonb) as r (
        place int, variant uuid, currency text, site text, tier text, min_quantity int, starts_at timestamptz
    )
    left join catalog_variant v on v.id = r.variant
    left join catalog_price p on r.site = '' and r.starts_at is null and p.variant = r.variant
        and p.currency = r.currency and p.tier = r.tier and p.min_quantity = r.min_quantity
    left join catalog_special_price s on (r.site <> '' or r.starts_at is not null) and s.variant = r.variant
        and s.currency = r.currency and s.site = r.site and s.tier = r.tier and s.min_quantity = r.min_quantity
        and s.starts_at is not distinct from r.starts_at
    """,
)

_TABLES = {
    "category": ("catalog_category", CATEGORY),
    "product": ("catalog_product", PRODUCT),
    "variant": ("catalog_variant", VARIANT),
}


async def undo_rows(run: JobRun) -> JobReport:
    """Undo an import of products or prices, or a bulk change of them, the last row first."""
    run.total = (await run.counts())["changed"]
    while changes := await run.to_undo(CHUNK):
        async with run.chunk():
            outcomes = await _Undo(run).undo(changes)
            await run.settle(outcomes)
            run.done += len(changes)
    return await report_of_undone(run)


class _Undo:
    """One chunk of a roll-back."""

    def __init__(self, run: JobRun) -> None:
        self._run = run
        self._db = run.kernel.db
        self._currency = run.kernel.settings.section("catalog", CatalogSettings).currency
        self._author = Author(key=run.principal.key, source=f"job:{run.job.id}", reason="roll-back")

    async def undo(self, changes: Sequence[Row]) -> dict[int, str]:
        """What became of each change, by its id."""
        keys = [
            UUID(change["content"]["price"]["variant"] if _is_price(change) else change["content"]["id"])
            for change in changes
        ]
        products = [row["id"] for row in await self._db.fetch(PRODUCTS_TOUCHED, keys)]
        await lock_products(self._db, products)
        outcomes: dict[int, str] = {}
        for priced, group in groupby(changes, _is_price):
            if priced:
                outcomes |= await self._prices(list(group))
            else:
                for change in group:
                    outcomes[change["id"]] = await self._row(change["content"])
        await refresh_products(self._db, products, self._currency)
        return outcomes

    async def _prices(self, changes: Sequence[Row]) -> dict[int, str]:
        if not changes:
            return {}
        asked = [_price_of(change["content"]) for change in changes]
        rows = [
            {
                "place": place,
                "variant": price.variant,
                "currency": price.currency,
                "site": price.site,
                "tier": price.tier,
                "min_quantity": price.min_quantity,
                "starts_at": price.starts_at,
            }
            for place, price in enumerate(asked)
        ]
        current = {row["place"]: row for row in await self._db.fetch(CURRENT_PRICES, json_rows(rows))}
        outcomes: dict[int, str] = {}
        back: list[tuple[int, PriceChange]] = []
        for place, (change, price) in enumerate(zip(changes, asked, strict=True)):
            now, new = current[place], change["content"]["new"]
            if not now["there"]:
                outcomes[change["id"]] = GONE
            elif now["units"] != new:
                outcomes[change["id"]] = f"changed since: {units_text(now['units']) or '–'} {price.currency}"
            else:
                back.append((change["id"], price))
        answers = await write_prices(
            self._db, [price for _, price in back], self._author, self._currency, refresh=False
        )
        for (key, _), answer in zip(back, answers, strict=True):
            outcomes[key] = answer.message if isinstance(answer, Refusal) else RESTORED
        return outcomes

    async def _row(self, content: Row) -> str:
        table, columns = _TABLES[content["what"]]
        now = await self._db.fetchrow(f"select * from {table} where id = $1 for update", UUID(content["id"]))
        if now is None:
            return GONE
        names = tuple(content["new"])
        changed = [name for name in names if _value(now, name) != content["new"][name]]
        if changed:
            return f"changed since: {', '.join(changed)}"
        if content["old"] is None:
            return await self._take_away(content["what"], table, UUID(content["id"]))
        old = {name: content["old"][name] for name in columns if name in content["old"]}
        if content["what"] == "variant" and "cost_units" in old:
            await note_costs(self._db, [{"id": content["id"], **old}], self._author)
        await self._put(content["what"], table, UUID(content["id"]), old)
        return RESTORED

    async def _put(self, what: str, table: str, key: UUID, old: Row) -> None:
        sets, values = [], []
        for place, (name, value) in enumerate(old.items(), start=2):
            cast = "::jsonb" if name in _JSON else "::uuid" if name == "category" else ""
            sets.append(f"{name} = ${place}{cast}")
            values.append(
                orjson.dumps(value).decode()
                if name in _JSON and value is not None
                else UUID(value)
                if cast == "::uuid"
                else value
            )
        if what != "category":
            sets.append("updated_at = now()")
        await self._db.execute(f"update {table} set {', '.join(sets)} where id = $1", key, *values)

    async def _take_away(self, what: str, table: str, key: UUID) -> str:
        """Delete a row that is new, unless something hangs on it already: then it is archived."""
        try:
            async with self._db.transaction():
                if what == "variant":
                    moved = await self._db.fetchval(
                        "select exists (select from catalog_stock_movement where variant = $1)", key
                    )
                    if moved:
                        raise _InUse
                    # Prices that the import brought were taken back before; others hold the variant here.
                await self._db.execute(f"delete from {table} where id = $1", key)
        except (_InUse, asyncpg.ForeignKeyViolationError, asyncpg.RestrictViolationError):
            if what != "category":
                await self._db.execute(
                    f"update {table} set status = 'archived', updated_at = now() where id = $1", key
                )
                return "is in use, so it was archived"
            return "is in use"
        return RESTORED


class _InUse(Exception):
    """Somebody bought it, or stock of it came in."""


def _is_price(change: Row) -> bool:
    return bool(change["content"]["what"] == "price")


def _price_of(content: Row) -> PriceChange:
    price = content["price"]
    moments = {
        name: price.get(name) and datetime.fromisoformat(price[name]) for name in ("starts_at", "ends_at")
    }
    return PriceChange(
        variant=UUID(price["variant"]),
        currency=price["currency"],
        units=content["old"],
        tier=price["tier"],
        min_quantity=price["min_quantity"],
        site=price.get("site", ""),
        **moments,
    )


def _value(row: Any, name: str) -> Any:
    value = row[name]
    if name in _JSON:
        return value and orjson.loads(value)
    return str(value) if isinstance(value, UUID) else value
