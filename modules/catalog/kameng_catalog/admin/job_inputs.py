"""What bulk jobs are started with, and what starting them answers."""

from __future__ import annotations

from datetime import date
from enum import Enum

import strawberry

from kameng.graphql import payload
from kameng.graphql.scalars import MoneyInput
from kameng.graphql.uploads import IMPORTED, UploadedFile
from kameng.jobs import JobFileTooLarge, JobStoreFull
from kameng.jobs.types import Job
from kameng_catalog.admin.types import Status, StockKind
from kameng_catalog.contract import RETAIL

MOST_SKUS = 5_000


@strawberry.enum(description="The form of a file.")
class ExportFormat(Enum):
    """The forms of files."""

    CSV = strawberry.enum_value("csv", description="In UTF-8, with the mark that spreadsheets look for.")
    CSV_GB18030 = strawberry.enum_value("csv-gb18030", description="In GB18030, for Chinese spreadsheets.")
    XLSX = strawberry.enum_value("xlsx", description="A workbook whose cells are all text.")


@strawberry.enum(description="What a formula starts from.")
class PriceFormulaBase(Enum):
    """What a formula starts from."""

    PRICE = strawberry.enum_value("price", description="The price as it is.")
    COST = strawberry.enum_value("cost", description="What one costs us.")
    FACE = strawberry.enum_value("face", description="The face value.")


@strawberry.enum(description="How a price comes to its ending.")
class PriceRounding(Enum):
    """How a price comes to its ending."""

    NEAREST = "nearest"
    UP = "up"
    DOWN = "down"


@strawberry.enum(description="Where a card is.")
class CardPlace(Enum):
    """Where a card is."""

    FREE = "free"
    RESERVED = "reserved"
    QUARANTINED = "quarantined"
    SOLD = "sold"
    WITHDRAWN = strawberry.enum_value("withdrawn", description="It has expired, or its batch was recalled.")


@strawberry.input(description="A file to import: CSV in UTF-8 or GB18030, or XLSX.")
class StartImportInput:
    """A file to import."""

    file: UploadedFile = strawberry.field(metadata=IMPORTED, description="CSV or XLSX.")
    dry_run: bool = strawberry.field(default=False, description="Only tell what would be done.")
    keep_good: bool = strawberry.field(
        default=False, description="Take the sound lines although others are faulty."
    )
    encoding: str = strawberry.field(
        default="", description="Of a CSV file, such as gb18030; found out if it is empty."
    )


@strawberry.input(description="A card file to import: CSV in UTF-8 or GB18030, or XLSX.")
class StartCardImportInput(StartImportInput):
    """A card file to import."""

    sku: str = strawberry.field(
        default="", description="The variant of all its cards; empty if a column `sku` tells."
    )
    source: str = strawberry.field(default="", description="Where the cards come from.")
    cost: MoneyInput | None = strawberry.field(default=None, description="What one of the cards cost us.")
    expires_on: date | None = strawberry.field(
        default=None, description="The last day of those cards whose lines tell none."
    )


@strawberry.input(description="Which products and variants; what is left out asks for nothing.")
class CatalogFilterInput:
    """Which products and variants."""

    category: str = strawberry.field(default="", description="The path of a category; those below it count.")
    tag: str = ""
    search: str = strawberry.field(default="", description="Words, as in the list of products.")
    product_status: Status | None = None
    status: Status | None = strawberry.field(default=None, description="Of the variant.")
    stock_kind: StockKind | None = None
    sku_prefix: str = ""
    skus: list[str] = strawberry.field(default_factory=list)


@strawberry.input(description="What to export of products or prices, and how.")
class StartExportInput:
    """What to export."""

    filter: CatalogFilterInput | None = None
    format: ExportFormat = ExportFormat.CSV


@strawberry.input(description="Which cards to export, and how.")
class StartCardExportInput:
    """Which cards to export."""

    sku: str = ""
    batch: strawberry.ID | None = None
    place: CardPlace | None = None
    format: ExportFormat = ExportFormat.CSV


@strawberry.input(description="Which cards to export with their secrets, and why.")
class StartCardSecretExportInput(StartCardExportInput):
    """Which cards to export with their secrets."""

    reason: str = strawberry.field(description="For the audit log.")


@strawberry.input(description="base × (1 + percent / 100) + amount, rounded, and not below the cost.")
class PriceFormulaInput:
    """How a price is computed."""

    base: PriceFormulaBase = PriceFormulaBase.PRICE
    percent: str = strawberry.field(
        default="0", description="More or less by so many percent, such as `-2.5`."
    )
    amount: str = strawberry.field(default="0", description="Then more or less by so much, such as `0.50`.")
    ending: str = strawberry.field(
        default="", description="What the price ends with: `0.00`, `0.90`, `0.99`."
    )
    rounding: PriceRounding = PriceRounding.NEAREST
    decimals: int = strawberry.field(default=2, description="Places where there is no ending, 0 to 4.")
    refuse_below_cost: bool = strawberry.field(
        default=False,
        description="Leave prices alone that would fall below the cost; otherwise they become the cost.",
    )


@strawberry.input(description="Prices to change by a formula.")
class StartPriceChangeInput:
    """Prices to change."""

    formula: PriceFormulaInput
    currency: str
    tier: str = strawberry.field(default=RETAIL, description="`retail`, or the code of a level of members.")
    filter: CatalogFilterInput | None = None
    dry_run: bool = strawberry.field(default=False, description="Only tell what would be done.")
    reason: str = strawberry.field(default="", description="For the history of prices.")


@strawberry.input(description="Products to publish, unpublish or archive.")
class StartStatusChangeInput:
    """Products to give a status."""

    status: Status
    filter: CatalogFilterInput
    with_variants: bool = strawberry.field(default=False, description="Give it to their variants too.")
    dry_run: bool = strawberry.field(default=False, description="Only tell what would be done.")


@payload(JobFileTooLarge, JobStoreFull)
class StartProductImportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload(JobFileTooLarge, JobStoreFull)
class StartPriceImportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload(JobFileTooLarge, JobStoreFull)
class StartCardImportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload()
class StartProductExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload()
class StartPriceExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload()
class StartCardExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload()
class StartCardSecretExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload()
class StartPriceChangePayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload()
class StartStatusChangePayload:
    """The job, or why there is none."""

    job: Job | None = None
