"""Importing prices: read the file, compare, and write it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import Statement
from kameng.errors import Refusal
from kameng_catalog.exporting.texts import units_text
from kameng_catalog.importing.cells import quoted
from kameng_catalog.importing.faults import Fault
from kameng_catalog.importing.in_chunks import Late, LineImport, Told, chunks
from kameng_catalog.importing.price_lines import PriceLine, PriceLines
from kameng_catalog.importing.report import Change, FieldChange, Outcome, ProductReport
from kameng_catalog.listings import lock_products, refresh_prices
from kameng_catalog.price_writing import Author, PriceChange, Written, judge_prices, units_now, write_prices
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel
    from kameng_catalog.importing.course import Course
    from kameng_catalog.importing.rows import Sheet

MOST_LINES = 500_000
"""Lines of a price file; more of them go into several files."""

VARIANTS = Statement(
    "catalog.price_import_variants",
    "select id, product, sku from catalog_variant where sku = any($1::text[])",
)

Done = Callable[[Sequence[tuple[str, PriceChange, Written]]], Awaitable[None]]
"""Hears of prices that were changed: the SKU, the change, and what there was before."""


async def import_prices(
    kernel: Kernel,
    sheet: Sheet,
    *,
    principal: Principal,
    source: str = "import",
    keep_good: bool = False,
    dry_run: bool = False,
    progress: Callable[[Sheet], None] = lambda _sheet: None,
    done: Done | None = None,
    course: Course | None = None,
    judged: Told | None = None,
    finished: Told | None = None,
) -> ProductReport:
    """Set prices of any tier, quantity, site and period as a file says: none of them, if the file has faults.

    A file that was imported already changes nothing. Prices that no line speaks of stay.

    Args:
        kernel: the kernel.
        sheet: the file, as `open_sheet` or `text_sheet` gives it with `price_lines.COLUMNS`.
        principal: who imports.
        source: by what way, for the history of prices.
        keep_good: write the sound lines although others are faulty.
        dry_run: tell what would be done, and write nothing.
        progress: called now and then while the file is read, in another thread.
        done: called inside each transaction, for a later roll-back.
        course, judged, finished: see `in_chunks.LineImport.run`.

    Raises:
        UnreadableFile: it is no such table, or too long.
    """
    arrival = _PriceImport(kernel, principal, source, ProductReport(dry_run=dry_run), done)
    lines = PriceLines(sheet, arrival.report.faults).read()
    await asyncio.to_thread(arrival.read, lines, sheet, progress, MOST_LINES)
    return await arrival.run(course, keep_good=keep_good, judged=judged, finished=finished)


class _PriceImport(LineImport[PriceLine]):
    def __init__(
        self, kernel: Kernel, principal: Principal, source: str, report: ProductReport, done: Done | None
    ) -> None:
        super().__init__(kernel.db, report)
        self._kernel = kernel
        self._principal = principal
        self._author = Author(key=principal.key, source=source)
        self._currency = kernel.settings.section("catalog", CatalogSettings).currency
        self._done = done

    async def judge(self) -> None:
        report = self.report
        if self.alone:
            # In the order of their keys, so that two files lock them alike.
            for some in chunks(await self._products(list({line.sku for line in self.lines}))):
                await lock_products(self.db, some)
        for lines in chunks(self.lines):
            known, changes = await self._changes(lines, report.faults.add)
            for line, answer in zip(known, await judge_prices(self.db, changes), strict=True):
                if isinstance(answer, Refusal):
                    report.faults.add(Fault(line.line, "price", answer.message))
                else:
                    report.changes.append(_told(line, answer))

    async def write(self, lines: Sequence[PriceLine]) -> Sequence[Late]:
        unknown: list[Fault] = []
        known, changes = await self._changes(lines, unknown.append)
        refused: list[tuple[PriceLine, PriceChange, Refusal]] = []
        written: list[tuple[str, PriceChange, Written]] = []
        answers = await write_prices(self.db, changes, self._author, self._currency, refresh=False)
        for line, change, answer in zip(known, changes, answers, strict=True):
            if isinstance(answer, Refusal):
                refused.append((line, change, answer))
            elif answer.changed:
                written.append((line.sku, change, answer))
        if written:
            if self._done is not None:
                await self._done(written)
            products = await self._products([sku for sku, _, _ in written])
            await refresh_prices(self.db, products, self._currency)
        there = await units_now(self.db, [change for _, change, _ in refused]) if refused else []
        # A variant that is gone took its prices with it.
        late = [Late(fault.line, fault.column, fault.reason, Outcome.CREATED) for fault in unknown]
        for (line, _, answer), units in zip(refused, there, strict=True):
            outcome = Outcome.CREATED if units is None else Outcome.UPDATED
            late.append(Late(line.line, "price", answer.message, outcome))
        return late

    async def finish(self, counts: Mapping[str, int]) -> None:
        if counts[Outcome.CREATED] or counts[Outcome.UPDATED]:
            await self._kernel.audit.record(
                "catalog.prices_imported",
                principal=self._principal,
                subject="catalog:prices",
                details={**counts, "source": self._author.source},
            )

    async def _products(self, skus: Sequence[str]) -> list[UUID]:
        rows = [row for some in chunks(skus) for row in await self.db.fetch(VARIANTS, some)]
        return sorted({row["product"] for row in rows})

    async def _changes(
        self, lines: Sequence[PriceLine], unknown: Callable[[Fault], None]
    ) -> tuple[list[PriceLine], list[PriceChange]]:
        rows = await self.db.fetch(VARIANTS, sorted({line.sku for line in lines}))
        variants = {row["sku"]: row for row in rows}
        for line in lines:
            if line.sku not in variants:
                unknown(Fault(line.line, "sku", f"there is no variant {quoted(line.sku)}"))
        known = [line for line in lines if line.sku in variants]
        return known, [_change_of(line, variants[line.sku]["id"]) for line in known]


def _change_of(line: PriceLine, variant: UUID) -> PriceChange:
    return PriceChange(
        variant=variant,
        currency=line.currency,
        units=line.units,
        tier=line.tier,
        min_quantity=line.from_quantity,
        site=line.site,
        starts_at=line.starts_at,
        ends_at=line.ends_at,
    )


def _told(line: PriceLine, written: Written) -> Change:
    if not written.changed:
        return Change(line.line, line.sku, Outcome.UNCHANGED)
    if written.old is None:
        return Change(
            line.line, line.sku, Outcome.CREATED, (FieldChange(name_of(line), "", units_text(written.new)),)
        )
    fields = (FieldChange(name_of(line), units_text(written.old), units_text(written.new)),)
    return Change(line.line, line.sku, Outcome.UPDATED, fields)


def name_of(price: PriceLine | PriceChange) -> str:
    """What people call a price: its tier and currency, and what is special about it."""
    quantity = price.from_quantity if isinstance(price, PriceLine) else price.min_quantity
    parts = [price.tier, price.currency]
    parts += [f"from {quantity}"] if quantity > 1 else []
    parts += [f"on {price.site}"] if price.site else []
    parts += [f"since {price.starts_at:%Y-%m-%d %H:%M} UTC"] if price.starts_at else []
    return " ".join(parts)
