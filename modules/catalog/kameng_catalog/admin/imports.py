"""Mutations that take files, uploaded or as text, for back offices; very large files go by ``kameng import``."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import date

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.graphql.scalars import MoneyInput
from kameng.graphql.uploads import UploadedFile
from kameng.money import UnitPrice
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.types import StockBatch
from kameng_catalog.importing import card_lines, product_lines
from kameng_catalog.importing.card_import import import_cards
from kameng_catalog.importing.faults import Faults
from kameng_catalog.importing.product_import import import_products
from kameng_catalog.importing.report import Outcome
from kameng_catalog.importing.rows import Columns, Sheet
from kameng_catalog.importing.sheets import read_sheet, text_sheet
from kameng_catalog.permissions import IMPORT_STOCK, MANAGE_PRODUCTS

LONGEST_TEXT = 2_000_000
"""Characters of a file that comes with a request."""

SHOWN = 200
"""Faults that an answer lists."""


@strawberry.type(description="What is wrong with a file.")
class ImportFault:
    """What is wrong with a file."""

    line: int
    column: str = strawberry.field(description="Empty if the whole line is meant.")
    reason: str


@strawberry.input(description="A product file: either uploaded, or as CSV text.")
class ImportProductsInput:
    """A product file."""

    content: str | None = strawberry.field(default=None, description="The file as CSV text.")
    file: UploadedFile | None = strawberry.field(default=None, description="The file, CSV or XLSX.")
    keep_good: bool = strawberry.field(
        default=False, description="Take the sound lines although others are faulty."
    )
    dry_run: bool = strawberry.field(default=False, description="Only tell what would be done.")


@payload()
class ImportProductsPayload:
    """What the import did; faults of single lines stand in `faults`."""

    applied: bool = False
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    fault_count: int = 0
    faults: list[ImportFault] = strawberry.field(
        default_factory=list, description=f"The first {SHOWN}, by line."
    )


@strawberry.input(description="A card file: either uploaded, or as CSV text.")
class ImportCardsInput:
    """A card file."""

    content: str | None = strawberry.field(default=None, description="The file as CSV text.")
    file: UploadedFile | None = strawberry.field(default=None, description="The file, CSV or XLSX.")
    sku: str = strawberry.field(
        default="", description="The variant of all its cards; empty if a column `sku` tells."
    )
    source: str = strawberry.field(default="", description="Where the cards come from.")
    file_name: str = strawberry.field(
        default="", description="What the file is called; an uploaded one has a name of its own."
    )
    keep_good: bool = strawberry.field(
        default=False, description="Take the sound lines although others are faulty."
    )
    dry_run: bool = strawberry.field(default=False, description="Only tell what would be done.")
    cost: MoneyInput | None = strawberry.field(default=None, description="What one of the cards cost us.")
    expires_on: date | None = strawberry.field(
        default=None, description="The last day of those cards whose lines tell none."
    )


@payload()
class ImportCardsPayload:
    """What the import did; faults of single lines stand in `faults`."""

    batch: StockBatch | None = None
    applied: bool = False
    cards: int = strawberry.field(default=0, description="Sound cards of the file.")
    fault_count: int = 0
    faults: list[ImportFault] = strawberry.field(
        default_factory=list, description=f"The first {SHOWN}, by line."
    )


@strawberry.type
class ImportsMutation:
    """Mutations that import."""

    @mutation
    async def import_products(self, info: Info, input: ImportProductsInput) -> ImportProductsPayload:  # noqa: A002 - GraphQL's name
        """Create and change products by a file; all of it, or nothing."""
        info.context.require(MANAGE_PRODUCTS)
        with closing(await _sheet(input.content, input.file, product_lines.COLUMNS)) as sheet:
            report = await import_products(
                info.context.kernel,
                sheet,
                principal=info.context.principal,
                keep_good=input.keep_good,
                dry_run=input.dry_run,
            )
        return ImportProductsPayload(
            applied=report.applied,
            created=report.count(Outcome.CREATED),
            updated=report.count(Outcome.UPDATED),
            unchanged=report.count(Outcome.UNCHANGED),
            fault_count=report.faults.count,
            faults=_shown(report.faults),
        )

    @mutation
    async def import_cards(self, info: Info, input: ImportCardsInput) -> ImportCardsPayload:  # noqa: A002 - GraphQL's name
        """Put cards into stock by a file, encrypted; all of them, or none."""
        info.context.require(IMPORT_STOCK)
        columns = card_lines.COLUMNS_OF_ONE_VARIANT if input.sku else card_lines.COLUMNS
        uploaded = "" if input.file is None else input.file.name
        with closing(await _sheet(input.content, input.file, columns)) as sheet:
            report = await import_cards(
                info.context.kernel,
                sheet,
                principal=info.context.principal,
                variant=input.sku,
                source=input.source[:200],
                file_name=(input.file_name or uploaded)[:200],
                keep_good=input.keep_good,
                dry_run=input.dry_run,
                cost=None if input.cost is None else UnitPrice.parse(input.cost.amount, input.cost.currency),
                expires_on=input.expires_on,
            )
        batch = await admin_loaders(info.context).batch.load(report.batch) if report.batch else None
        return ImportCardsPayload(
            batch=batch,
            applied=report.applied,
            cards=report.cards,
            fault_count=report.faults.count,
            faults=_shown(report.faults),
        )


async def _sheet(content: str | None, file: UploadedFile | None, columns: Columns) -> Sheet:
    if (content is None) == (file is None):
        raise InvalidInput(
            "The import takes one file, uploaded or as text.",
            cure="Give either `file` or `content`.",
            path=("input", "file"),
        )
    if file is not None:
        # Its encoding is found by reading all of it.
        return await asyncio.to_thread(read_sheet, file.open(), columns, name=file.name)
    return text_sheet(_text(content or ""), columns)


def _text(content: str) -> str:
    if len(content) > LONGEST_TEXT:
        raise InvalidInput(
            f"The file has {len(content):,} characters; a request takes {LONGEST_TEXT:,}.",
            cure="Upload it, import it on the server by `kameng import`, or send it in parts.",
            path=("input", "content"),
        )
    return content


def _shown(faults: Faults) -> list[ImportFault]:
    return [
        ImportFault(line=fault.line, column=fault.column, reason=fault.reason)
        for fault in faults.in_order()[:SHOWN]
    ]
