"""The job that writes orders to a file, a row for each line; without contacts, notes and what was delivered."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from kameng.graphql import LOCALES
from kameng.graphql.pages import Keyset, PageRequest, write_cursor
from kameng.jobs import JobReport
from kameng.module import JobKind, Permission
from kameng.money import Money, UnitPrice
from kameng.spreadsheets import CSV_TYPE, XLSX_TYPE, CsvTable, WorkbookTable
from kameng_fulfilment.finding.filtering import WantedOrders, choice
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders, order_of

if TYPE_CHECKING:
    from typing import BinaryIO

    from kameng.jobs import JobRun
    from kameng.spreadsheets import Cell, TableWriter

EXPORT_ORDERS = Permission("fulfilment.export_orders", "Export orders to files", "导出订单文件")
"""Whoever may have orders as a file: they leave the shop with it."""

COLUMNS = (
    "number",
    "state",
    "placed_at",
    "paid_at",
    "completed_at",
    "buyer",
    "payment",
    "site",
    "total",
    "refunded",
    "currency",
    "line",
    "sku",
    "title",
    "quantity",
    "delivered",
    "unit_price",
    "line_total",
    "delivery",
    "delivery_state",
)

NEWEST = Keyset("orders-newest", (("o.id", "uuid"),), descending=True)
PIECE = 100
_TYPES = {
    ".csv": CSV_TYPE,
    ".xlsx": XLSX_TYPE,
}


async def export_orders(run: JobRun) -> JobReport:
    """Write the orders that were asked for to a file, the newest first."""
    wanted = msgspec.convert(run.input["wanted"], WantedOrders)
    suffix = ".xlsx" if run.input.get("format") == "xlsx" else ".csv"
    chosen = await choice(run.kernel, run.principal, wanted, run.job.created_at)
    cursor: str | None = None
    with tempfile.TemporaryFile(prefix="kameng-orders-") as content:
        file = cast("BinaryIO", content)
        table: TableWriter = (WorkbookTable if suffix == ".xlsx" else CsvTable)(file, COLUMNS)
        while True:
            run.check()
            page = PageRequest.of(PIECE, cursor)
            behind, tail, values = page.clauses(NEWEST, len(chosen.values) + 1)
            rows = await run.kernel.db.fetch(chosen.page(behind, tail), *chosen.values, *values)
            orders = [order_of(row) for row in page.kept(rows)]
            lines = await lines_of_orders(run.kernel.db, [order.id for order in orders])
            await asyncio.to_thread(table.write, _rows(orders, lines, run.job.locale))
            run.done += len(orders)
            if len(rows) <= PIECE:
                break
            cursor = write_cursor(NEWEST, [orders[-1].id])
        await asyncio.to_thread(table.finish)
        async with run.chunk():
            run.total = run.done
            await run.kernel.audit.record(
                "fulfilment.orders_exported",
                principal=run.principal,
                subject=f"job:{run.job.id}",
                details={"orders": run.done, "format": suffix[1:], "wanted": run.input["wanted"]},
            )
            name = f"orders-{datetime.now(UTC):%Y%m%d-%H%M}{suffix}"
            await run.store("output", name, _TYPES[suffix], file, confidential=True)
    return JobReport(counts={"orders": run.done})


def _rows(
    orders: Sequence[StoredOrder], lines: Mapping[Any, Sequence[StoredLine]], locale: str
) -> list[list[Cell]]:
    return [_row(order, line, locale) for order in orders for line in lines[order.id]]


def _row(order: StoredOrder, line: StoredLine, locale: str) -> list[Cell]:
    currency = order.currency
    return [
        order.number,
        order.state,
        _time(order.created_at),
        _time(order.paid_at),
        _time(order.completed_at),
        f"{order.buyer_kind}:{order.member}",
        order.payment,
        order.site,
        Money(order.total_minor, currency).amount,
        Money(order.refunded_minor, currency).amount,
        currency,
        str(line.position),
        line.sku,
        line.titles.get(locale) or line.titles.get(LOCALES[0], ""),
        str(line.quantity),
        str(line.delivered_quantity),
        UnitPrice(line.unit_price, currency).amount,
        Money(line.total_minor, currency).amount,
        line.delivery,
        line.delivery_state,
    ]


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if moment else ""


EXPORT_JOB = JobKind(
    name="export_orders",
    call=export_orders,
    permission=EXPORT_ORDERS,
    title_en="Export of orders",
    title_zh="导出订单",
)
"""Writing orders to a file."""
