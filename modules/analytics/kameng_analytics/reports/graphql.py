"""Reports in the admin schema."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import strawberry

from kameng import money
from kameng.errors import InvalidInput
from kameng.graphql import Connection, Info, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.jobs import JobStoreFull
from kameng.jobs.types import Job
from kameng_analytics.reports.checking import differences
from kameng_analytics.reports.closing import ClosedDay, DayDiffers, DayNotOver, close_day
from kameng_analytics.reports.days import business_zones
from kameng_analytics.reports.permissions import CLOSE_DAYS, EXPORT_REPORTS, READ_FIGURES
from kameng_analytics.reports.reading import (
    FACTS,
    ROWS,
    Asked,
    Dimension,
    Grain,
    fact_page,
    labels_of,
    report_rows,
)
from kameng_analytics.reports.types import (
    ClosedReportDay,
    FactKind,
    Report,
    ReportDifference,
    ReportDimension,
    ReportFact,
    ReportGrain,
    ReportRow,
)
from kameng_analytics.reports.writing import ReportForm

_CLOSED = Keyset("closed-days", (("c.day", "date"),), descending=True)

MOST_COMPARED = 62
"""Days that are compared with the ledger at once."""

ReportFormat = strawberry.enum(ReportForm, name="ReportFormat", description="The form of a report's file.")


@strawberry.input(description="What to export. Without days: the last thirty.")
class StartReportExportInput:
    """What to export."""

    format: ReportFormat = ReportForm.CSV  # type: ignore[valid-type]  # an enum that Strawberry named
    grain: ReportGrain = Grain.DAY  # type: ignore[valid-type]  # as above
    dimension: ReportDimension = Dimension.ALL  # type: ignore[valid-type]  # as above
    since: date | None = None
    until: date | None = None
    currency: str = "CNY"


@payload(JobStoreFull)
class StartReportExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@strawberry.input(description="Which business day to close.")
class CloseReportDayInput:
    """Which day to close."""

    day: date


@payload(DayNotOver, DayDiffers)
class CloseReportDayPayload:
    """The closed day, or why it is open."""

    day: ClosedReportDay | None = None


@strawberry.type
class ReportQuery:
    """Queries of reports."""

    @strawberry.field(
        description="Turnover, refunds, cost, gross profit and fees by day, week or month and by dimension, live, as the ledger "
        "has them; without days: the last thirty. Needs analytics.read_figures."
    )
    async def report(
        self,
        info: Info,
        grain: ReportGrain = Grain.DAY,  # type: ignore[valid-type]  # an enum that Strawberry named
        dimension: ReportDimension = Dimension.ALL,  # type: ignore[valid-type]  # as above
        value: str | None = None,
        since: date | None = None,
        until: date | None = None,
        currency: str = "CNY",
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Report:
        """A page of a report, the newest period first."""
        context = info.context
        context.require(READ_FIGURES)
        asked = _asked(info, since, until, currency, Grain(grain), Dimension(dimension), value)
        page = PageRequest.of(first, after, last, before)
        rows = await report_rows(context.db, asked, page)
        labels = await labels_of(context.kernel, asked.dimension, [row.value for row in rows], context.locale)
        rows_of = page.connection(
            rows,
            ROWS,
            lambda row: [row.period, row.value],
            lambda row: ReportRow.of(row, asked, labels[row.value]),
        )
        return Report(nodes=rows_of.items, page_info=rows_of.page_info())

    @strawberry.field(
        description="What is behind a figure: each fact with its order and its ledger transaction, those booked last first. "
        "Needs analytics.read_figures."
    )
    async def report_facts(
        self,
        info: Info,
        since: date,
        until: date,
        currency: str = "CNY",
        dimension: ReportDimension = Dimension.ALL,  # type: ignore[valid-type]  # an enum that Strawberry named
        value: str | None = None,
        kinds: list[FactKind] | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ReportFact]:
        """A page of facts."""
        info.context.require(READ_FIGURES)
        asked = _asked(info, since, until, currency, Grain.DAY, Dimension(dimension), value)
        page = PageRequest.of(first, after, last, before)
        facts = await fact_page(info.context.db, asked, _values(kinds), page)
        return page.connection(facts, FACTS, lambda fact: [fact.id], ReportFact.of)

    @strawberry.field(
        description="Where reports and ledger do not agree, of at most 62 days; nothing is adjusted. "
        "Needs analytics.read_figures."
    )
    async def report_differences(self, info: Info, since: date, until: date) -> list[ReportDifference]:
        """Compare days with the ledger."""
        info.context.require(READ_FIGURES)
        if not 0 <= (until - since).days < MOST_COMPARED:
            raise InvalidInput(
                f"1 to {MOST_COMPARED} days are compared at once.",
                cure="Let `since` be the earlier day, or ask for less.",
                path=("since",),
            )
        return [ReportDifference.of(each) for each in await differences(info.context.kernel, since, until)]

    @strawberry.field(description="Closed business days, the newest first. Needs analytics.read_figures.")
    async def closed_report_days(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ClosedReportDay]:
        """A page of closed days."""
        info.context.require(READ_FIGURES)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(_CLOSED, 1)
        rows = await info.context.db.fetch(
            f"select c.* from analytics_closed_day c where {behind} {tail}", *cursor
        )
        closed = [ClosedDay(**dict(row)) for row in rows]
        return page.connection(closed, _CLOSED, lambda day: [day.day], ClosedReportDay.of)


@strawberry.type
class ReportMutation:
    """Mutations of reports."""

    @mutation
    async def close_report_day(
        self,
        info: Info,
        input: CloseReportDayInput,  # noqa: A002 - GraphQL's name
    ) -> CloseReportDayPayload:
        """Close a business day: nothing is booked on it any more. Closing it again is harmless. Needs analytics.close_days."""
        context = info.context
        context.require(CLOSE_DAYS)
        closed = await close_day(
            context.kernel,
            input.day,
            context.principal,
            correlation_id=context.correlation_id,
            address=context.address,
        )
        return CloseReportDayPayload(day=ClosedReportDay.of(closed))

    @mutation
    async def start_report_export(
        self,
        info: Info,
        input: StartReportExportInput,  # noqa: A002 - GraphQL's name
    ) -> StartReportExportPayload:
        """Have a report written to a file. Needs analytics.export_reports."""
        context = info.context
        context.require(EXPORT_REPORTS)
        asked = _asked(
            info,
            input.since,
            input.until,
            input.currency,
            Grain(input.grain),
            Dimension(input.dimension),
            None,
        )
        job = await context.kernel.jobs.start(
            "analytics.export_report",
            principal=context.principal,
            locale=context.locale,
            correlation_id=context.correlation_id,
            address=context.address,
            format=ReportForm(input.format).value,
            grain=asked.grain.value,
            dimension=asked.dimension.value,
            since=asked.since.isoformat(),
            until=asked.until.isoformat(),
            currency=asked.currency,
        )
        return StartReportExportPayload(job=Job.of(context, job))


def _asked(
    info: Info,
    since: date | None,
    until: date | None,
    currency: str,
    grain: Grain,
    dimension: Dimension,
    value: str | None,
) -> Asked:
    money.check_currency(currency)
    site = value or "" if dimension is Dimension.SITE else ""
    until = until or datetime.now(business_zones(info.context.kernel).of(site)).date()
    return Asked(
        since=since or until - timedelta(days=29),
        until=until,
        currency=currency,
        grain=grain,
        dimension=dimension,
        value=value,
    ).check()


def _values(kinds: Sequence[FactKind] | None) -> list[str]:
    return [str(kind.value) for kind in kinds or ()]
