"""The job that publishes, unpublishes or archives many products, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.db import Statement
from kameng_catalog.bulk.filters import BulkFilter, read_filter
from kameng_catalog.bulk.price_change import FIRST
from kameng_catalog.bulk.reporting import report_of_noted
from kameng_catalog.importing.cells import status as checked_status
from kameng_catalog.listings import lock_products, refresh_products
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.jobs import JobReport, JobRun

CHUNK = 500
"""Products of one chunk."""

_FROM = "from catalog_product p join catalog_category c on c.id = p.category"

READ_PRODUCTS = Statement(
    "catalog.read_statuses_of_products",
    "select id, slug as name, status from catalog_product where id = any($1::uuid[]) order by id",
)

READ_VARIANTS = Statement(
    "catalog.read_statuses_of_variants",
    "select id, sku as name, status from catalog_variant where product = any($1::uuid[]) order by product, id",
)

PUT_PRODUCTS = Statement(
    "catalog.put_statuses_of_products",
    """
    update catalog_product set status = $2, updated_at = now(),
        publish_at = case when $2 = 'draft' then publish_at end,
        unpublish_at = case when $2 <> 'archived' then unpublish_at end
    where id = any($1::uuid[])
    """,
)

PUT_VARIANTS = Statement(
    "catalog.put_statuses_of_variants",
    "update catalog_variant set status = $2, updated_at = now() where id = any($1::uuid[])",
)


async def change_statuses(run: JobRun) -> JobReport:
    """Give products that a filter finds a status, and their variants too if that is asked for."""
    status = checked_status(str(run.input["status"]))
    wanted = _Wanted(read_filter(run.input.get("filter")))
    if run.total is None:
        run.total = await run.kernel.db.fetchval(*wanted.count())
    while found := await run.kernel.db.fetch(*wanted.page(run.saved.get("after", FIRST))):
        products = [row["id"] for row in found]
        async with run.chunk():
            await lock_products(run.kernel.db, products)
            await _change(run, status, products)
            run.saved["after"] = str(products[-1])
            run.done += len(products)
    report = await report_of_noted(run, {"changed": "changed", "problems": "left_alone"})
    if report.applied:
        async with run.chunk():
            await run.kernel.audit.record(
                "catalog.statuses_changed",
                principal=run.principal,
                subject=f"job:{run.job.id}",
                details={"status": status, "changed": report.counts["changed"]},
            )
    return report


class _Wanted:
    """Which products; one that a variant is asked of has such a variant."""

    def __init__(self, wanted: BulkFilter) -> None:
        conditions, values = wanted.product_conditions(1)
        theirs, more = wanted.variant_conditions(1 + len(values))
        if theirs:
            conditions.append(
                f"exists (select from catalog_variant v where v.product = p.id and {' and '.join(theirs)})"
            )
        self._where, self._values = " and ".join(conditions) or "true", [*values, *more]

    def count(self) -> tuple[Any, ...]:
        return Statement(
            "catalog.count_products_to_change", f"select count(*) {_FROM} where {self._where}"
        ), *self._values

    def page(self, after: str) -> tuple[Any, ...]:
        place = 1 + len(self._values)
        sql = f"select p.id {_FROM} where {self._where} and p.id > ${place}::uuid order by p.id limit {CHUNK}"
        return Statement("catalog.find_products_to_change", sql), *self._values, UUID(after)


async def _change(run: JobRun, status: str, products: Sequence[Any]) -> None:
    db = run.kernel.db
    rows = [("product", row) for row in await db.fetch(READ_PRODUCTS, products)]
    if run.input.get("with_variants"):
        rows += [("variant", row) for row in await db.fetch(READ_VARIANTS, products)]
    changed = [(what, row) for what, row in rows if row["status"] != status]
    if not changed:
        return
    if not run.dry_run:
        for what, statement in (("product", PUT_PRODUCTS), ("variant", PUT_VARIANTS)):
            await db.execute(statement, [row["id"] for kind, row in changed if kind == what], status)
        currency = run.kernel.settings.section("catalog", CatalogSettings).currency
        await refresh_products(db, products, currency)
        run.changed = True
    notes = []
    for what, row in changed:
        content = {
            "what": what,
            "id": str(row["id"]),
            "old": {"status": row["status"]},
            "new": {"status": status},
            "fields": [("status", row["status"], status)],
        }
        notes.append((f"product {row['name']}" if what == "product" else row["name"], content, None))
    await run.note_all(notes)
