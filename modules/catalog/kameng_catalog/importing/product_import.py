"""Importing products: read the file, compare, and write all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from kameng.errors import Refusal
from kameng_catalog.events import ProductsImported
from kameng_catalog.importing import product_statements as statements
from kameng_catalog.importing.faults import UnreadableFile
from kameng_catalog.importing.product_lines import ProductLine, ProductLines
from kameng_catalog.importing.product_plan import Known, Plan, Planner, keys_of
from kameng_catalog.importing.product_undo import undo_rows
from kameng_catalog.importing.report import Outcome, ProductReport
from kameng_catalog.json_rows import json_rows
from kameng_catalog.listings import lock_products, refresh_products
from kameng_catalog.price_writing import Author, PriceChange, note_costs, write_prices
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.db import Database, Statement
    from kameng.kernel import Kernel
    from kameng_catalog.importing.sheets import Sheet

T = TypeVar("T")

Done = Callable[[Sequence[tuple[str, Mapping[str, Any]]]], Awaitable[None]]
"""Hears of rows that were changed, as `product_undo.undo_rows` tells them."""

CHUNK = 2_000
"""Rows of one statement."""

MOST_LINES = 200_000
"""Lines of a product file; more of them go into several files."""


async def import_products(
    kernel: Kernel,
    sheet: Sheet,
    *,
    principal: Principal,
    keep_good: bool = False,
    dry_run: bool = False,
    source: str = "import",
    progress: Callable[[Sheet], None] = lambda _sheet: None,
    done: Done | None = None,
) -> ProductReport:
    """Create and change products, variants, categories and retail prices as a file says.

    All of it is written in one transaction, or nothing. A file that was imported already changes nothing.

    Args:
        kernel: the kernel.
        sheet: the file, as `open_sheet` or `text_sheet` gives it with `product_lines.COLUMNS`.
        principal: who imports, for the audit log.
        keep_good: write the sound lines although others are faulty.
        dry_run: tell what would be done, and write nothing.
        source: by what way, for the history of prices.
        progress: called now and then while the file is read, in another thread.
        done: called inside the transaction, for a later roll-back.

    Raises:
        UnreadableFile: it is no such table.
    """
    report = ProductReport(dry_run=dry_run)
    lines = await asyncio.to_thread(_read, sheet, report, progress)
    async with kernel.db.transaction():
        await kernel.db.execute(statements.LOCK)
        known = await _known(kernel.db, lines)
        plan = Planner(sheet.columns, known, report.faults).plan(lines)
        report.changes = plan.changes
        if dry_run or (report.faults.count and not keep_good):
            return report
        created, updated = report.count(Outcome.CREATED), report.count(Outcome.UPDATED)
        if created or updated:
            currency = kernel.settings.section("catalog", CatalogSettings).currency
            await _write(kernel.db, plan, currency, Author(key=principal.key, source=source))
            if done is not None:
                for rows in _chunks(list(undo_rows(plan, known))):
                    await done(rows)
            await kernel.events.emit(ProductsImported(created=created, updated=updated))
            await kernel.audit.record(
                "catalog.products_imported",
                principal=principal,
                subject="catalog:products",
                details={"created": created, "updated": updated, "faults": report.faults.count},
            )
        report.applied = True
    return report


def _read(sheet: Sheet, report: ProductReport, progress: Callable[[Sheet], None]) -> list[ProductLine]:
    lines: list[ProductLine] = []
    for line in ProductLines(sheet, report.faults).read():
        lines.append(line)
        if len(lines) % 500 == 0:
            progress(sheet)
        if len(lines) > MOST_LINES:
            raise UnreadableFile(
                f"The file has more than {MOST_LINES:,} lines.", cure="Split it into several files."
            )
    progress(sheet)
    return lines


async def _known(db: Database, lines: Sequence[ProductLine]) -> Known:
    categories = await db.fetch(statements.CATEGORIES)
    products, variants = [], []
    for slugs in _chunks(list(dict.fromkeys(line.product for line in lines))):
        products += await db.fetch(statements.PRODUCTS, slugs)
    for chunk in _chunks(lines):
        variants += await db.fetch(
            statements.VARIANTS, [line.sku for line in chunk], [line.currency for line in chunk]
        )
    return Known(
        {row["path"]: _row(row, "titles") for row in categories},
        {row["slug"]: _row(row, "titles", "descriptions", "form") for row in products},
        {row["sku"]: _row(row, "titles") for row in variants},
    )


def _row(record: Any, *texts: str) -> dict[str, Any]:
    return {**record, **{name: record[name] and orjson.loads(record[name]) for name in texts}}


async def _write(db: Database, plan: Plan, currency: str, author: Author) -> None:
    touched = sorted({*keys_of(plan.products, "id"), *keys_of(plan.variants, "product")})
    for chunk in _chunks(touched):
        await lock_products(db, chunk)
    await _put(db, statements.PUT_CATEGORIES, plan.categories)
    await _put(db, statements.PUT_PRODUCTS, plan.products)
    for variants in _chunks(plan.variants):
        await note_costs(db, variants, author)
    await _put(db, statements.PUT_VARIANTS, plan.variants)
    for prices in _chunks([PriceChange(**row) for row in plan.prices]):
        for answer in await write_prices(db, prices, author, currency, refresh=False):
            if isinstance(answer, Refusal):
                raise answer  # a cost that rose while the file was read
    for chunk in _chunks(touched):
        await refresh_products(db, chunk, currency)


async def _put(db: Database, statement: Statement, rows: Iterable[dict[str, Any]]) -> None:
    for chunk in _chunks(list(rows)):
        await db.execute(statement, json_rows(chunk))


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[first : first + CHUNK] for first in range(0, len(items), CHUNK))
