"""The mutation that has the journal written to a file; what becomes of it stands in the kernel's ``job``."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from kameng.graphql import Info, mutation, payload
from kameng.jobs import JobStoreFull
from kameng.jobs.types import Job
from kameng_settlement.exporting.job import EXPORT_LEDGER
from kameng_settlement.exporting.reading import EVER
from kameng_settlement.periods import Period


@strawberry.enum(description="The form of a file of the ledger.")
class LedgerExportFormat(Enum):
    """The forms of files."""

    CSV = strawberry.enum_value("csv", description="A row for each posting, in UTF-8.")
    XLSX = strawberry.enum_value("xlsx", description="A workbook with a row for each posting.")
    BEANCOUNT = strawberry.enum_value(
        "beancount",
        description="A book for beancount, with the balances as assertions that `bean-check` proves.",
    )


@strawberry.input(description="What to export of the ledger, by the time of posting.")
class StartLedgerExportInput:
    """What to export."""

    format: LedgerExportFormat = LedgerExportFormat.CSV
    since: datetime | None = strawberry.field(default=None, description="From the beginning without it.")
    until: datetime | None = strawberry.field(default=None, description="The first moment that is left out.")


@payload(JobStoreFull)
class StartLedgerExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@strawberry.type
class LedgerExportMutation:
    """Mutations that export."""

    @mutation
    async def start_ledger_export(
        self,
        info: Info,
        input: StartLedgerExportInput,  # noqa: A002 - GraphQL's name
    ) -> StartLedgerExportPayload:
        """Have the journal written to a file; who had it made and who fetched it goes into the audit log."""
        context = info.context
        context.require(EXPORT_LEDGER)
        Period.of(input.since or EVER.since, input.until or EVER.until)
        job = await context.kernel.jobs.start(
            "settlement.export_ledger",
            principal=context.principal,
            locale=context.locale,
            correlation_id=context.correlation_id,
            address=context.address,
            format=str(input.format.value),
            since=input.since.isoformat() if input.since else None,
            until=input.until.isoformat() if input.until else None,
        )
        return StartLedgerExportPayload(job=Job.of(context, job))
