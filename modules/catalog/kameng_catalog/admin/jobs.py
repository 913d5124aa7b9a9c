"""Mutations that start bulk jobs; what becomes of them stands in the kernel's ``job`` and ``jobProgress``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation
from kameng.graphql.uploads import UploadedFile
from kameng.ids import key_of
from kameng.jobs.types import Job
from kameng.money import UnitPrice, check_currency
from kameng_catalog.admin.inputs import checked
from kameng_catalog.admin.job_inputs import (
    MOST_SKUS,
    CatalogFilterInput,
    StartCardExportInput,
    StartCardExportPayload,
    StartCardImportInput,
    StartCardImportPayload,
    StartCardSecretExportInput,
    StartCardSecretExportPayload,
    StartExportInput,
    StartImportInput,
    StartPriceChangeInput,
    StartPriceChangePayload,
    StartPriceExportPayload,
    StartPriceImportPayload,
    StartProductExportPayload,
    StartProductImportPayload,
    StartStatusChangeInput,
    StartStatusChangePayload,
)
from kameng_catalog.admin.reasons import LONGEST_SHORT_REASON, short_reason
from kameng_catalog.bulk.filters import BulkFilter
from kameng_catalog.bulk.formula import PriceBase, PriceFormula, Rounding
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
