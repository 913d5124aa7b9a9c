"""Importing prices: read the file, compare, and write all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.db import Statement
from kameng.errors import Refusal
from kameng_catalog.exporting.texts import units_text
from kameng_catalog.importing.cells import quoted
from kameng_catalog.importing.faults import Fault, UnreadableFile
from kameng_catalog.importing.price_lines import PriceLine, PriceLines
from kameng_catalog.importing.report import Change, FieldChange, Outcome, ProductReport
from kameng_catalog.listings import refresh_prices
from kameng_catalog.price_writing import Author, PriceChange, Written, write_prices
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel
    from kameng_catalog.importing.sheets import Sheet

CHUNK = 2_000
"""Prices of one statement."""

MOST_LINES = 500_000
"""Lines of a price file; more of them go into several files."""

VARIANTS = Statement(
    "catalog.price_import_variants",
    "select id, product, sku from catalog_variant where sku = any($1::text[])",
)

Done = Callable[[Sequence[tuple[str, PriceChange, Written]]], Awaitable[None]]
"""Hears of prices that were changed: the SKU, the change, and what there was before."""


class _NothingToKeep(Exception):
    """Undoes the transaction of an import that is refused, or only tried."""


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
) -> ProductReport:
    """Set prices of any tier, quantity, site and period as a file says: all of them, or none.

    A file that was imported already changes nothing. Prices that no line speaks of stay.

    Args:
        kernel: the kernel.
        sheet: the file, as `open_sheet` or `text_sheet` gives it with `price_lines.COLUMNS`.
        principal: who imports.
        source: by what way, for the history of prices.
        keep_good: write the sound lines although others are faulty.
        dry_run: tell what would be done, and write nothing.
        progress: called now and then while the file is read, in another thread.
        done: called inside the transaction, for a later roll-back.

    Raises:
        UnreadableFile: it is no such table, or too long.
    """
    arrival = _Arrival(kernel, Author(key=principal.key, source=source), ProductReport(dry_run=dry_run), done)
    lines = await asyncio.to_thread(arrival.read, sheet, progress)
    try:
        async with kernel.db.transaction():
            await arrival.write(lines)
            if dry_run or (arrival.report.faults.count and not keep_good):
                raise _NothingToKeep
            counts = {outcome: arrival.report.count(outcome) for outcome in Outcome}
            if counts[Outcome.CREATED] or counts[Outcome.UPDATED]:
                await kernel.audit.record(
                    "catalog.prices_imported",
                    principal=principal,
                    subject="catalog:prices",
                    details={**{name.value: count for name, count in counts.items()}, "source": source},
                )
        arrival.report.applied = True
    except _NothingToKeep:
        pass
    return arrival.report


class _Arrival:
    def __init__(self, kernel: Kernel, author: Author, report: ProductReport, done: Done | None) -> None:
        self._db = kernel.db
        self._currency = kernel.settings.section("catalog", CatalogSettings).currency
        self._author = author
        self._done = done
        self.report = report

    def read(self, sheet: Sheet, progress: Callable[[Sheet], None]) -> list[PriceLine]:
        lines: list[PriceLine] = []
        for line in PriceLines(sheet, self.report.faults).read():
            lines.append(line)
            if len(lines) % 500 == 0:
                progress(sheet)
            if len(lines) > MOST_LINES:
                raise UnreadableFile(
                    f"The file has more than {MOST_LINES:,} lines.", cure="Split it into several files."
                )
        progress(sheet)
        return lines

    async def write(self, lines: Sequence[PriceLine]) -> None:
        variants: dict[str, Any] = {}
        skus = sorted({line.sku for line in lines})
        for first in range(0, len(skus), CHUNK):
            rows = await self._db.fetch(VARIANTS, skus[first : first + CHUNK])
            variants |= {row["sku"]: row for row in rows}
        # In the order of products, so that two files lock them alike; the report is in the order of lines again.
        known = sorted(
            (line for line in lines if line.sku in variants), key=lambda line: variants[line.sku]["product"]
        )
        for line in lines:
            if line.sku not in variants:
                self.report.faults.add(Fault(line.line, "sku", f"there is no variant {quoted(line.sku)}"))
        touched: set[UUID] = set()
        for first in range(0, len(known), CHUNK):
            some = known[first : first + CHUNK]
            changes = [_change_of(line, variants[line.sku]["id"]) for line in some]
            answers = await write_prices(self._db, changes, self._author, self._currency, refresh=False)
            written = []
            for line, change, answer in zip(some, changes, answers, strict=True):
                if isinstance(answer, Refusal):
                    self.report.faults.add(Fault(line.line, "price", answer.message))
                    continue
                self.report.changes.append(_told(line, answer))
                if answer.changed:
                    touched.add(variants[line.sku]["product"])
                    written.append((line.sku, change, answer))
            if self._done is not None:
                await self._done(written)
        self.report.changes.sort(key=lambda change: change.line)
        products = sorted(touched)
        for first in range(0, len(products), CHUNK):
            await refresh_prices(self._db, products[first : first + CHUNK], self._currency)


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
