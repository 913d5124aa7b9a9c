"""Exporting to a file: read one snapshot piece by piece, write each piece in a thread, keep little in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from kameng_catalog.bulk.filters import BulkFilter
from kameng_catalog.exporting.card_export import (
    COLUMNS_OF_CARDS,
    COLUMNS_WITH_SECRETS,
    CardFilter,
    card_cells,
    cards_to_export,
    cells_with_secrets,
)
from kameng_catalog.exporting.price_export import COLUMNS_OF_PRICES, price_cells, prices_to_export
from kameng_catalog.exporting.product_export import COLUMNS_OF_PRODUCTS, ProductRows, products_to_export
from kameng_catalog.exporting.reading import rows_in_pieces
from kameng_catalog.exporting.writers import TableFormat, TableWriter, open_writer
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.db import Statement
    from kameng.kernel import Kernel

Progress = Callable[[int], None]
"""Hears how many rows were written so far."""

Cells = Callable[[Sequence[Mapping[str, Any]]], Awaitable[list[list[str]]]]


class Exported(msgspec.Struct, kw_only=True):
    """A file that was written.

    Attributes:
        content: the file at its start; close it when done.
        media_type, suffix: of its content and for its name.
        rows: how many it holds.
        left_out: the SKUs of what the file could not hold.
    """

    content: BinaryIO
    media_type: str
    suffix: str
    rows: int
    left_out: list[str] = []


def _unheard(_rows: int) -> None:
    """Nobody wants to know."""


async def export_products(
    kernel: Kernel, wanted: BulkFilter, kind: TableFormat, progress: Progress = _unheard
) -> Exported:
    """Variants with their products, categories and retail prices, as `import_products` reads them.

    What such a file has no columns for stays out of it, and importing it leaves that as it is.
    """
    currency = kernel.settings.section("catalog", CatalogSettings).currency
    maker = await ProductRows.read(kernel.db)
    left_out: list[str] = []

    async def cells(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        made = [maker.cells(row) for row in rows]
        left_out.extend(row["sku"] for row, one in zip(rows, made, strict=True) if one is None)
        return [one for one in made if one is not None]

    statement, values = products_to_export(wanted, currency)
    exported = await _export(kernel, statement, values, COLUMNS_OF_PRODUCTS, cells, kind, progress)
    exported.left_out = left_out
    return exported


async def export_prices(
    kernel: Kernel, wanted: BulkFilter, kind: TableFormat, progress: Progress = _unheard
) -> Exported:
    """All prices, as `import_prices` reads them."""

    async def cells(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        return [price_cells(row) for row in rows]

    statement, values = prices_to_export(wanted)
    return await _export(kernel, statement, values, COLUMNS_OF_PRICES, cells, kind, progress)


async def export_cards(
    kernel: Kernel, wanted: CardFilter, kind: TableFormat, progress: Progress = _unheard
) -> Exported:
    """A list of cards without their secrets."""

    async def cells(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        return [card_cells(row) for row in rows]

    statement, values = cards_to_export(wanted, secrets=False)
    return await _export(kernel, statement, values, COLUMNS_OF_CARDS, cells, kind, progress)


async def export_card_secrets(
    kernel: Kernel, wanted: CardFilter, kind: TableFormat, progress: Progress = _unheard
) -> Exported:
    """Cards with their secrets, as `import_cards` reads them. Whoever calls it has checked that this may be, and recorded it."""

    async def cells(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        return await cells_with_secrets(kernel, rows)

    statement, values = cards_to_export(wanted, secrets=True)
    return await _export(kernel, statement, values, COLUMNS_WITH_SECRETS, cells, kind, progress)


async def _export(
    kernel: Kernel,
    statement: Statement,
    values: Sequence[Any],
    columns: Sequence[str],
    cells: Cells,
    kind: TableFormat,
    progress: Progress,
) -> Exported:
    writer: TableWriter = open_writer(kind, columns)
    rows = 0
    try:
        async for some in rows_in_pieces(kernel.db, statement, *values):
            made = await cells(some)
            await asyncio.to_thread(writer.write, made)
            rows += len(made)
            progress(rows)
        content = await asyncio.to_thread(writer.finish)
    finally:
        writer.close()
    return Exported(content=content, media_type=writer.media_type, suffix=writer.suffix, rows=rows)
