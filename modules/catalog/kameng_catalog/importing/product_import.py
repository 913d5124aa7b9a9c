"""Importing products: read the file, compare, and write it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from kameng.errors import Refusal
from kameng_catalog.events import ProductsImported
from kameng_catalog.importing import product_statements as statements
from kameng_catalog.importing.faults import Faults
from kameng_catalog.importing.in_chunks import CHUNK, Late, LineImport, Told, chunks
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
    from kameng_catalog.importing.course import Course
    from kameng_catalog.importing.rows import Sheet

Done = Callable[[Sequence[tuple[str, Mapping[str, Any]]]], Awaitable[None]]
"""Hears of rows that were changed, as `product_undo.undo_rows` tells them."""

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
    course: Course | None = None,
    judged: Told | None = None,
    finished: Told | None = None,
) -> ProductReport:
    """Create and change products, variants, categories and retail prices as a file says.

    If the file has faults, nothing is written. A file that was imported already changes nothing.

    Args:
        kernel: the kernel.
        sheet: the file, as `open_sheet` or `text_sheet` gives it with `product_lines.COLUMNS`.
        principal: who imports, for the audit log.
        keep_good: write the sound lines although others are faulty.
        dry_run: tell what would be done, and write nothing.
        source: by what way, for the history of prices.
        progress: called now and then while the file is read, in another thread.
        done: called inside each transaction, for a later roll-back.
        course, judged, finished: see `in_chunks.LineImport.run`.

    Raises:
        UnreadableFile: it is no such table.
    """
    arrival = _ProductImport(kernel, sheet, principal, source, ProductReport(dry_run=dry_run), done)
    lines = ProductLines(sheet, arrival.report.faults).read()
    await asyncio.to_thread(arrival.read, lines, sheet, progress, MOST_LINES)
    return await arrival.run(course, keep_good=keep_good, judged=judged, finished=finished)


class _ProductImport(LineImport[ProductLine]):
    def __init__(
        self,
        kernel: Kernel,
        sheet: Sheet,
        principal: Principal,
        source: str,
        report: ProductReport,
        done: Done | None,
    ) -> None:
        super().__init__(kernel.db, report)
        self._kernel = kernel
        self._columns = sheet.columns
        self._principal = principal
        self._author = Author(key=principal.key, source=source)
        self._currency = kernel.settings.section("catalog", CatalogSettings).currency
        self._done = done

    async def judge(self) -> None:
        _, plan = await self._plan(self.lines, self.report.faults)
        self.report.changes = plan.changes
        if self.alone:
            for keys in chunks(_touched(plan)):
                await lock_products(self.db, keys)

    def groups(self) -> Iterable[Sequence[ProductLine]]:
        # All lines of a product come together, since its variants are placed in their order.
        products: dict[str, list[ProductLine]] = {}
        for line in self.lines:
            products.setdefault(line.product, []).append(line)
        group: list[ProductLine] = []
        for lines in products.values():
            if group and len(group) + len(lines) > CHUNK:
                yield group
                group = []
            group += lines
        if group:
            yield group

    async def write(self, lines: Sequence[ProductLine]) -> Sequence[Late]:
        faults = Faults()
        known, plan = await self._plan(lines, faults)
        would_be = {
            line.line: Outcome.UPDATED if line.sku in known.variants else Outcome.CREATED for line in lines
        }
        late = [Late(item.line, item.column, item.reason, would_be[item.line]) for item in faults.listed]
        counts = [sum(change.outcome is outcome for change in plan.changes) for outcome in _WRITTEN]
        if any(counts):
            refused = await _write(self.db, plan, self._currency, self._author)
            late += [Late(line, "price", reason, would_be[line]) for line, reason in refused.items()]
            plan.prices = [
                row for line, row in zip(plan.price_lines, plan.prices, strict=True) if line not in refused
            ]
            if self._done is not None:
                for rows in chunks(list(undo_rows(plan, known))):
                    await self._done(rows)
            await self._kernel.events.emit(ProductsImported(created=counts[0], updated=counts[1]))
        return late

    async def finish(self, counts: Mapping[str, int]) -> None:
        created, updated = (counts[outcome] for outcome in _WRITTEN)
        if created or updated:
            await self._kernel.audit.record(
                "catalog.products_imported",
                principal=self._principal,
                subject="catalog:products",
                details={"created": created, "updated": updated, "faults": self.report.faults.count},
            )

    async def _plan(self, lines: Sequence[ProductLine], faults: Faults) -> tuple[Known, Plan]:
        # Two files may bring the same category or product.
        await self.db.execute(statements.LOCK)
        known = await _known(self.db, lines)
        return known, Planner(self._columns, known, faults, self.lines).plan(lines)


_WRITTEN = (Outcome.CREATED, Outcome.UPDATED)


def _touched(plan: Plan) -> list[Any]:
    return sorted({*keys_of(plan.products, "id"), *keys_of(plan.variants, "product")})


async def _known(db: Database, lines: Sequence[ProductLine]) -> Known:
    categories = await db.fetch(statements.CATEGORIES)
    products, variants = [], []
    for slugs in chunks(list(dict.fromkeys(line.product for line in lines))):
        products += await db.fetch(statements.PRODUCTS, slugs)
    for chunk in chunks(lines):
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


async def _write(db: Database, plan: Plan, currency: str, author: Author) -> dict[int, str]:
    """Write a plan; gives the lines whose prices could not be written, and why: a cost may rise meanwhile."""
    touched = _touched(plan)
    refused: dict[int, str] = {}
    for chunk in chunks(touched):
        await lock_products(db, chunk)
    await _put(db, statements.PUT_CATEGORIES, plan.categories)
    await _put(db, statements.PUT_PRODUCTS, plan.products)
    for variants in chunks(plan.variants):
        await note_costs(db, variants, author)
    await _put(db, statements.PUT_VARIANTS, plan.variants)
    for prices in chunks(list(zip(plan.price_lines, plan.prices, strict=True))):
        changes = [PriceChange(**row) for _, row in prices]
        answers = await write_prices(db, changes, author, currency, refresh=False)
        for (line, _), answer in zip(prices, answers, strict=True):
            if isinstance(answer, Refusal):
                refused[line] = answer.message
    for chunk in chunks(touched):
        await refresh_products(db, chunk, currency)
    return refused


async def _put(db: Database, statement: Statement, rows: Iterable[dict[str, Any]]) -> None:
    for chunk in chunks(list(rows)):
        await db.execute(statement, json_rows(chunk))
