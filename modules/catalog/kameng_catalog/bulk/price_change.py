"""The job that changes many prices by a formula, chunk by chunk: each price once, however often its worker dies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.db import Statement
from kameng.errors import Refusal
from kameng.money import UNIT_DECIMALS, minor_decimals
from kameng_catalog.bulk.filters import BulkFilter, read_filter
from kameng_catalog.bulk.formula import PriceBase, PriceFormula, read_formula, too_odd
from kameng_catalog.bulk.imports import price_undo
from kameng_catalog.bulk.reporting import report_of_noted
from kameng_catalog.exporting.texts import units_text
from kameng_catalog.importing.price_import import name_of
from kameng_catalog.listings import lock_products
from kameng_catalog.price_writing import Author, PriceChange, Written, write_prices
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.jobs import JobReport, JobRun

CHUNK = 500
"""Prices of one chunk."""

FIRST = "00000000-0000-0000-0000-000000000000"

_FROM = """
    from catalog_price r join catalog_variant v on v.id = r.variant
    join catalog_product p on p.id = v.product join catalog_category c on c.id = p.category
"""

READ = Statement(
    "catalog.read_prices_to_change",
    """
    select r.id, r.variant, r.tier, r.min_quantity, r.currency, r.units, v.sku, v.below_cost,
        v.cost_units, v.cost_currency, v.face_minor, v.face_currency
    from catalog_price r join catalog_variant v on v.id = r.variant where r.id = any($1::uuid[]) order by r.id
    """,
)


async def change_prices(run: JobRun) -> JobReport:
    """Change the prices of a tier and currency that a filter finds; a dry run only tells what would become of them."""
    formula = read_formula(run.input["formula"])
    formula.check()
    wanted = _Wanted(read_filter(run.input.get("filter")), run.input["tier"], run.input["currency"])
    if run.total is None:
        run.total = await run.kernel.db.fetchval(*wanted.count())
    while found := await run.kernel.db.fetch(*wanted.page(run.saved.get("after", FIRST))):
        async with run.chunk():
            # The products first, then what is read of them stays as it is until the end of the chunk.
            await lock_products(run.kernel.db, sorted({row["product"] for row in found}))
            await _Chunk(run, formula).change(await run.kernel.db.fetch(READ, [row["id"] for row in found]))
            run.saved["after"] = str(found[-1]["id"])
            run.done += len(found)
    report = await report_of_noted(run, {"changed": "changed", "problems": "left_alone"})
    report.counts["unchanged"] = max(0, run.done - sum(report.counts.values()))
    return report


class _Wanted:
    """Which prices are to be changed."""

    def __init__(self, wanted: BulkFilter, tier: str, currency: str) -> None:
        self._condition, self._values = wanted.conditions(3)
        self._own = [tier, currency]

    def count(self) -> tuple[Any, ...]:
        sql = f"select count(*) {_FROM} where r.tier = $1 and r.currency = $2 and {self._condition}"
        return Statement("catalog.count_prices_to_change", sql), *self._own, *self._values

    def page(self, after: str) -> tuple[Any, ...]:
        place = 3 + len(self._values)
        sql = f"""
            select r.id, v.product {_FROM} where r.tier = $1 and r.currency = $2 and {self._condition}
                and r.id > ${place}::uuid order by r.id limit {CHUNK}
        """
        return Statement("catalog.find_prices_to_change", sql), *self._own, *self._values, UUID(after)


class _Chunk:
    def __init__(self, run: JobRun, formula: PriceFormula) -> None:
        self._run = run
        self._formula = formula
        self._currency = run.kernel.settings.section("catalog", CatalogSettings).currency
        self._author = Author(
            key=run.principal.key, source=f"job:{run.job.id}", reason=str(run.input.get("reason", ""))
        )

    async def change(self, rows: Sequence[Any]) -> None:
        """Change these prices, or only note what would become of them."""
        changes: list[tuple[Any, PriceChange]] = []
        notes: list[tuple[str, dict[str, Any], str | None]] = []
        for row in rows:
            units = self._new(row)
            if isinstance(units, str):
                notes.append((row["sku"], {"what": "problem"}, units))
            elif units != row["units"]:
                changes.append((row, _change_of(row, units)))
        answers: list[Written | Refusal]
        if self._run.dry_run:
            answers = [Written(row["units"], change.units, changed=True) for row, change in changes]
        else:
            answers = await write_prices(
                self._run.kernel.db, [change for _, change in changes], self._author, self._currency
            )
        for (row, change), answer in zip(changes, answers, strict=True):
            if isinstance(answer, Refusal):
                notes.append((row["sku"], {"what": "problem"}, answer.message))
            elif answer.changed:
                self._run.changed = self._run.changed or not self._run.dry_run
                field = (name_of(change), units_text(answer.old), units_text(answer.new))
                notes.append((row["sku"], {**price_undo(change, answer.old), "fields": [field]}, None))
        self._run.problems += sum(problem is not None for _, _, problem in notes)
        await self._run.note_all(notes)

    def _new(self, row: Any) -> int | str:
        """The new price, or why there is none."""
        currency = row["currency"]
        base: int | None = row["units"]
        if self._formula.base is PriceBase.COST:
            base = row["cost_units"] if row["cost_currency"] == currency else None
            if base is None:
                return f"has no cost in {currency}"
        if self._formula.base is PriceBase.FACE:
            minor = row["face_minor"] if row["face_currency"] == currency else None
            if minor is None:
                return f"has no face value in {currency}"
            base = minor * 10 ** (UNIT_DECIMALS - minor_decimals(currency))
        floor = row["cost_units"] if row["cost_currency"] == currency and not row["below_cost"] else None
        assert base is not None  # noqa: S101 - both other bases were looked at
        units = self._formula.price(base, floor)
        if too_odd(units, base):
            return f"would be {units_text(units)}"
        if floor is not None and units < floor:
            return "is lower than what one costs, which the variant does not allow"
        return units


def _change_of(row: Any, units: int) -> PriceChange:
    return PriceChange(
        variant=UUID(int=row["variant"].int),
        currency=row["currency"],
        units=units,
        tier=row["tier"],
        min_quantity=row["min_quantity"],
    )
