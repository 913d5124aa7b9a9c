"""Changing prices: the one way for the back office, files and bulk work alike.

`write_prices` takes any number of changes, does what is sound, tells what is not and why, keeps the history, and brings the
lists in step; the number of its statements does not depend on the number of changes. Whoever wants all or nothing
rolls its transaction back when anything was refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.ids import new_id
from kameng.money import UnitPrice
from kameng_catalog import price_statements as statements
from kameng_catalog.contract import RETAIL
from kameng_catalog.json_rows import json_rows
from kameng_catalog.listings import lock_products, refresh_prices

if TYPE_CHECKING:
    from kameng.db import Database, Statement


class PriceBelowCost(Refusal):
    """The price is lower than what one costs, and the variant is not to be sold below its cost."""

    code = "PRICE_BELOW_COST"


class PriceChange(msgspec.Struct, frozen=True, kw_only=True):
    """A price to set or to take away.

    A price is known by its variant, currency, site, tier, quantity and the start of its period: setting it again changes its
    units and its end.

    Attributes:
        variant: its key.
        currency: of the price.
        units: what one costs the buyer, in ten-thousandths of the main unit; None takes the price away.
        tier: whose price it is.
        min_quantity: from how many pieces on it holds.
        site: where it holds; empty: on all sites.
        starts_at: when its period begins; None: it has none.
        ends_at: the first instant at which it does not hold any more; None: it holds for good.
    """

    variant: UUID
    currency: str
    units: int | None
    tier: str = RETAIL
    min_quantity: int = 1
    site: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def special(self) -> bool:
        """Whether it holds on one site or for a while, and not always and everywhere."""
        return bool(self.site) or self.starts_at is not None

    @property
    def place(self) -> tuple[object, ...]:
        """What it is known by."""
        return self.variant, self.currency, self.site, self.tier, self.min_quantity, self.starts_at


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes prices, for the history.

    Attributes:
        key: of the principal, such as ``staff:0189…``.
        source: by what way, such as ``admin``, ``import`` or ``job:0189…``.
        reason: why, in the words of whoever does it.
    """

    key: str
    source: str
    reason: str = ""


class Written(msgspec.Struct, frozen=True):
    """What became of a change.

    Attributes:
        old, new: the units before and after it; None where there was or is no such price.
        changed: whether anything is different now.
    """

    old: int | None
    new: int | None
    changed: bool


async def write_prices(
    db: Database, changes: Sequence[PriceChange], author: Author, currency: str, *, refresh: bool = True
) -> list[Written | Refusal]:
    """Set and take away prices, in the caller's transaction; eight statements at most.

    Args:
        db: in a transaction.
        changes: what to change; of several for the same price the last one counts, and all are answered like it.
        author: who does it, and why.
        currency: the shop's, whose prices lists go by.
        refresh: bring the lists in step; False for a caller who does so himself afterwards.

    Returns:
        what became of each change, in order: `PriceBelowCost`, `NotFound` for a variant or price that is not there,
        `InvalidInput` for a period that ends before it begins or is over. What is refused was not done; the rest was.
    """
    if not changes:
        return []
    products = [
        row["product"]
        for row in await db.fetch(statements.PRODUCTS_OF, list({change.variant for change in changes}))
    ]
    # A product is locked before its variants and prices, and its costs do not change after that.
    await lock_products(db, products)
    last = {change.place: change for change in changes}
    asked = list(last.values())
    rows = [_row(place, change) for place, change in enumerate(asked)]
    answers = await _judged_all(db, asked, rows)
    done = [
        {**row, "old_units": answer.old, "special": change.special}
        for row, change, answer in zip(rows, asked, answers, strict=True)
        if isinstance(answer, Written) and answer.changed
    ]
    if done:
        await _put(db, done)
        await db.execute(statements.NOTE_PRICES, json_rows(done), author.key, author.source, author.reason)
        if refresh:
            await refresh_prices(db, products, currency)
    found = dict(zip(last, answers, strict=True))
    return [found[change.place] for change in changes]


async def judge_prices(db: Database, changes: Sequence[PriceChange]) -> list[Written | Refusal]:
    """What would become of changes, each of another price, if they were written now; writes nothing. One statement."""
    return await _judged_all(db, changes, [_row(place, change) for place, change in enumerate(changes)])


async def units_now(db: Database, changes: Sequence[PriceChange]) -> list[int | None]:
    """The units that prices have now which changes speak of, each of another one; None where there is none. One statement."""
    rows = [_row(place, change) for place, change in enumerate(changes)]
    known = {row["place"]: row for row in await db.fetch(statements.KNOWN_PRICES, json_rows(rows))}
    return [known[place]["units"] for place in range(len(rows))]


async def note_costs(db: Database, costs: Iterable[Mapping[str, Any]], author: Author) -> None:
    """Keep in the history what variants cost from now on. One statement; call it before the variants are written.

    Args:
        db: in the transaction that writes them.
        costs: rows with ``id``, ``cost_units`` and ``cost_currency``, each variant once.
        author: who does it, and why.
    """
    rows = [{name: row[name] for name in ("id", "cost_units", "cost_currency")} for row in costs]
    await db.execute(statements.NOTE_COSTS, json_rows(rows), author.key, author.source, author.reason)


def below_cost(variant: str, unit: UnitPrice, floor: UnitPrice) -> PriceBelowCost:
    """The refusal of a price below the cost.

    Args:
        variant: how people call it.
        unit: the price.
        floor: the cost.
    """
    return PriceBelowCost(
        f"{unit.amount.normalize():f} {unit.currency} is less than {variant} costs, {floor.amount.normalize():f}.",
        cure="Set a higher price, or allow the variant to be sold below its cost.",
        path=("input", "unit"),
    )


def _row(place: int, change: PriceChange) -> dict[str, Any]:
    return {"place": place, "id": new_id(), **msgspec.structs.asdict(change)}


async def _judged_all(
    db: Database, changes: Sequence[PriceChange], rows: Sequence[dict[str, Any]]
) -> list[Written | Refusal]:
    known = {row["place"]: row for row in await db.fetch(statements.KNOWN_PRICES, json_rows(rows))}
    now = datetime.now(UTC)
    return [_judged(change, known[place], now) for place, change in enumerate(changes)]


def _judged(change: PriceChange, known: Any, now: datetime) -> Written | Refusal:
    """What is to become of a change, by what is there."""
    if not known["there"]:
        return NotFound("There is no such variant.", path=("input", "variant"))
    if change.units is None:
        if known["units"] is None:
            return NotFound("There is no such price.", path=("input",))
        return Written(known["units"], None, changed=True)
    if change.ends_at is not None:
        if change.starts_at is None or change.ends_at <= change.starts_at:
            return InvalidInput(
                "The period ends before it begins.",
                cure="Set a later end.",
                path=("input", "period", "until"),
            )
        if change.ends_at <= now:
            return InvalidInput(
                "The period is over already.", cure="Set a later end.", path=("input", "period", "until")
            )
    if change.units < 0 or change.min_quantity < 1:
        return InvalidInput("A price and its quantity are never negative.", path=("input",))
    if known["floor"] is not None and change.units < known["floor"]:
        unit, floor = (UnitPrice(units, change.currency) for units in (change.units, known["floor"]))
        return below_cost("one", unit, floor)
    changed = (known["units"], known["ends_at"]) != (change.units, change.ends_at)
    return Written(known["units"], change.units, changed)


async def _put(db: Database, rows: Sequence[dict[str, Any]]) -> None:
    ways: tuple[tuple[Statement, bool, bool], ...] = (
        (statements.PUT_PRICES, False, False),
        (statements.PUT_SPECIAL_PRICES, True, False),
        (statements.REMOVE_PRICES, False, True),
        (statements.REMOVE_SPECIAL_PRICES, True, True),
    )
    for statement, special, removed in ways:
        some = [row for row in rows if row["special"] == special and (row["units"] is None) == removed]
        if some:
            await db.execute(statement, json_rows(some))
