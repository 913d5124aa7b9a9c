"""Mutations that start bulk jobs; what becomes of them stands in the kernel's ``job`` and ``jobProgress``."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.graphql.scalars import MoneyInput
from kameng.graphql.uploads import IMPORTED, UploadedFile
from kameng.ids import key_of
from kameng.jobs import JobFileTooLarge, JobStoreFull
from kameng.jobs.types import Job
from kameng.money import UnitPrice, check_currency
from kameng_catalog.admin.inputs import checked
from kameng_catalog.admin.reasons import LONGEST_SHORT_REASON, short_reason
from kameng_catalog.admin.types import Status, StockKind
from kameng_catalog.bulk.filters import BulkFilter
from kameng_catalog.bulk.formula import PriceBase, PriceFormula, Rounding
from kameng_catalog.contract import RETAIL
from kameng_catalog.importing import cells
from kameng_catalog.permissions import (
    EXPORT_SECRETS,
    IMPORT_STOCK,
    MANAGE_PRICES,
    MANAGE_PRODUCTS,
    READ_PRODUCTS,
)

if TYPE_CHECKING:
    from kameng.module import Permission

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


@strawberry.type
class JobsMutation:
    """Mutations that start bulk jobs."""

    @mutation
    async def start_product_import(self, info: Info, input: StartImportInput) -> StartProductImportPayload:  # noqa: A002 - GraphQL's name
        """Have a file of products imported by a worker; nothing of it, if it has faults."""
        job = await _import(info, "import_products", MANAGE_PRODUCTS, input)
        return StartProductImportPayload(job=job)

    @mutation
    async def start_price_import(self, info: Info, input: StartImportInput) -> StartPriceImportPayload:  # noqa: A002 - GraphQL's name
        """Have a file of prices imported by a worker; nothing of it, if it has faults."""
        return StartPriceImportPayload(job=await _import(info, "import_prices", MANAGE_PRICES, input))

    @mutation
    async def start_card_import(self, info: Info, input: StartCardImportInput) -> StartCardImportPayload:  # noqa: A002 - GraphQL's name
        """Have a file of cards put into stock by a worker, encrypted; all of them, or none."""
        more: dict[str, Any] = {"sku": input.sku.strip()[:100], "source": input.source[:200]}
        if input.cost is not None:
            cost = UnitPrice.parse(input.cost.amount, input.cost.currency)
            more |= {"cost_units": cost.units, "cost_currency": cost.currency}
        if input.expires_on is not None:
            more["expires_on"] = input.expires_on.isoformat()
        return StartCardImportPayload(job=await _import(info, "import_cards", IMPORT_STOCK, input, **more))

    @mutation
    async def start_product_export(self, info: Info, input: StartExportInput) -> StartProductExportPayload:  # noqa: A002 - GraphQL's name
        """Have products written to a file that imports to the same products."""
        values = {"filter": _filter(input.filter), "format": input.format.value}
        return StartProductExportPayload(job=await _start(info, "export_products", READ_PRODUCTS, values))

    @mutation
    async def start_price_export(self, info: Info, input: StartExportInput) -> StartPriceExportPayload:  # noqa: A002 - GraphQL's name
        """Have all prices written to a file that imports to the same prices."""
        values = {"filter": _filter(input.filter), "format": input.format.value}
        return StartPriceExportPayload(job=await _start(info, "export_prices", READ_PRODUCTS, values))

    @mutation
    async def start_card_export(self, info: Info, input: StartCardExportInput) -> StartCardExportPayload:  # noqa: A002 - GraphQL's name
        """Have a list of cards written to a file, without their secrets."""
        values = {"cards": _cards(input), "format": input.format.value}
        return StartCardExportPayload(job=await _start(info, "export_cards", READ_PRODUCTS, values))

    @mutation
    async def start_card_secret_export(
        self,
        info: Info,
        input: StartCardSecretExportInput,  # noqa: A002 - GraphQL's name
    ) -> StartCardSecretExportPayload:
        """Have cards written to a file with their secrets; who had it made, why, and who fetched it goes into the audit log."""
        info.context.require(EXPORT_SECRETS)
        reason = short_reason(input.reason)
        if not reason:
            raise InvalidInput(
                "A reason is needed.",
                cure=f"Write 1 to {LONGEST_SHORT_REASON} characters.",
                path=("input", "reason"),
            )
        values = {"cards": _cards(input), "format": input.format.value, "reason": reason}
        job = await _start(info, "export_card_secrets", EXPORT_SECRETS, values)
        return StartCardSecretExportPayload(job=job)

    @mutation
    async def start_price_change(self, info: Info, input: StartPriceChangeInput) -> StartPriceChangePayload:  # noqa: A002 - GraphQL's name
        """Have the prices of a tier changed by a formula; a dry run shows what would become of each."""
        given = input.formula
        formula = PriceFormula(
            base=PriceBase(str(given.base.value)),
            percent=given.percent.strip(),
            amount=given.amount.strip(),
            ending=given.ending.strip(),
            rounding=Rounding(given.rounding.value),
            decimals=given.decimals,
            refuse_below_cost=given.refuse_below_cost,
        )
        formula.check()
        values = {
            "formula": msgspec.to_builtins(formula),
            "filter": _filter(input.filter),
            "currency": check_currency(input.currency),
            "tier": checked("tier", lambda text: cells.plain(cells.given(text), 64), input.tier),
            "reason": short_reason(input.reason),
        }
        job = await _start(info, "change_prices", MANAGE_PRICES, values, dry_run=input.dry_run)
        return StartPriceChangePayload(job=job)

    @mutation
    async def start_status_change(
        self,
        info: Info,
        input: StartStatusChangeInput,  # noqa: A002 - GraphQL's name
    ) -> StartStatusChangePayload:
        """Have many products published, unpublished or archived."""
        values = {
            "status": input.status.value,
            "filter": _filter(input.filter),
            "with_variants": input.with_variants,
        }
        job = await _start(info, "change_statuses", MANAGE_PRODUCTS, values, dry_run=input.dry_run)
        return StartStatusChangePayload(job=job)


async def _import(
    info: Info, kind: str, permission: Permission, given: StartImportInput, **values: Any
) -> Job:
    own = {"keep_good": given.keep_good, "encoding": given.encoding.strip()[:40], **values}
    return await _start(info, kind, permission, own, dry_run=given.dry_run, file=given.file)


async def _start(
    info: Info,
    kind: str,
    permission: Permission,
    values: dict[str, Any],
    *,
    dry_run: bool = False,
    file: UploadedFile | None = None,
) -> Job:
    context = info.context
    context.require(permission)
    job = await context.kernel.jobs.start(
        f"catalog.{kind}",
        principal=context.principal,
        locale=context.locale,
        dry_run=dry_run,
        file=file,
        correlation_id=context.correlation_id,
        address=context.address,
        **values,
    )
    return Job.of(context, job)


def _filter(given: CatalogFilterInput | None) -> dict[str, Any]:
    if given is None:
        return {}
    if len(given.skus) > MOST_SKUS:
        raise InvalidInput(
            f"{len(given.skus):,} SKUs are too many.",
            cure=f"Name at most {MOST_SKUS:,}.",
            path=("input", "filter", "skus"),
        )
    wanted = BulkFilter(
        category=given.category.strip(),
        tag=given.tag.strip(),
        search=given.search.strip()[:100],
        product_status=given.product_status.value if given.product_status else "",
        status=given.status.value if given.status else "",
        kind=str(given.stock_kind.value) if given.stock_kind else "",
        sku_prefix=given.sku_prefix.strip(),
        skus=tuple(sku.strip() for sku in given.skus),
    )
    found: dict[str, Any] = msgspec.to_builtins(wanted)
    return found


def _cards(given: StartCardExportInput) -> dict[str, str]:
    return {
        "sku": given.sku.strip(),
        "batch": str(key_of("StockBatch", given.batch)) if given.batch else "",
        "state": given.place.value if given.place else "",
    }
