"""Reconciliation's queries and mutations of the back office."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import strawberry

from kameng.graphql import Connection, Context, Info, mutation
from kameng.graphql.pages import Keyset, PageRequest
from kameng.graphql.uploads import UploadedFile
from kameng.ids import key_of
from kameng.jobs.types import Job
from kameng_settlement.chart import clearing_of
from kameng_settlement.reconciliation.cases import (
    CaseAction,
    case_of,
    claim_case,
    comment_case,
    release_case,
    resolve_case,
)
from kameng_settlement.reconciliation.describing import describe_bill
from kameng_settlement.reconciliation.graphql.inputs import (
    ClaimReconciliationCaseInput,
    ClaimReconciliationCasePayload,
    CommentReconciliationCaseInput,
    CommentReconciliationCasePayload,
    DescribeBillInput,
    DescribeBillPayload,
    ReconciliationCaseFilter,
    ReleaseReconciliationCaseInput,
    ReleaseReconciliationCasePayload,
    ResolveReconciliationCaseInput,
    ResolveReconciliationCasePayload,
    StartBillImportInput,
    StartBillImportPayload,
    StartReconciliationExportInput,
    StartReconciliationExportPayload,
    StartReconciliationInput,
    StartReconciliationPayload,
)
from kameng_settlement.reconciliation.graphql.types import (
    Bill,
    Reconciliation,
    ReconciliationCase,
    load_cases,
)
from kameng_settlement.reconciliation.permissions import READ_RECONCILIATION, RECONCILE, RESOLVE_CASES

BILLS = Keyset("bills-newest", (("id", "uuid"),), descending=True)
RUNS = Keyset("reconciliations-newest", (("id", "uuid"),), descending=True)
CASES = Keyset("reconciliation-cases-newest", (("id", "uuid"),), descending=True)


@strawberry.type
class ReconciliationAdminQuery:
    """Queries of the back office on reconciliation. All need settlement.read_reconciliation."""

    @strawberry.field(description="Bills, the newest first. Needs settlement.read_reconciliation.")
    async def bills(
        self,
        info: Info,
        source: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Bill]:
        """A page of bills."""
        info.context.require(READ_RECONCILIATION)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(BILLS, 2)
        rows = await info.context.db.fetch(
            f"select * from settlement_bill where ($1::text is null or source = $1) and {behind} {tail}",
            source,
            *cursor,
        )
        return page.connection(rows, BILLS, lambda row: [row["id"]], Bill.of)

    @strawberry.field(
        description="Comparisons of days, the newest first. Needs settlement.read_reconciliation."
    )
    async def reconciliations(
        self,
        info: Info,
        source: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Reconciliation]:
        """A page of runs."""
        info.context.require(READ_RECONCILIATION)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(RUNS, 2)
        rows = await info.context.db.fetch(
            f"select * from settlement_reconciliation where ($1::text is null or source = $1) and {behind} {tail}",
            source,
            *cursor,
        )
        return page.connection(rows, RUNS, lambda row: [row["id"]], Reconciliation.of)

    @strawberry.field(description="Cases, the newest first. Needs settlement.read_reconciliation.")
    async def reconciliation_cases(
        self,
        info: Info,
        filter: ReconciliationCaseFilter | None = None,  # noqa: A002 - GraphQL's name
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ReconciliationCase]:
        """A page of cases."""
        context = info.context
        context.require(READ_RECONCILIATION)
        conditions, values = _conditions(context, filter or ReconciliationCaseFilter())
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(CASES, len(values) + 1)
        rows = await context.db.fetch(
            f"select * from settlement_case where {' and '.join(conditions)} and {behind} {tail}",
            *values,
            *cursor,
        )
        return page.connection(
            rows, CASES, lambda row: [row["id"]], lambda row: ReconciliationCase.of(case_of(row))
        )


def _conditions(context: Context, wanted: ReconciliationCaseFilter) -> tuple[list[str], list[object]]:
    conditions, values = ["true"], list[object]()

    def ask(column: str, value: object) -> None:
        values.append(value)
        conditions.append(f"{column} = ${len(values)}")

    if wanted.source is not None:
        ask("source", wanted.source)
    if wanted.day is not None:
        ask("day", wanted.day)
    if wanted.number is not None:
        ask("number", wanted.number)
    if wanted.difference is not None:
        ask("difference", wanted.difference.value)
    if wanted.mine:
        ask("owner", context.principal.key)
    if wanted.states is not None:
        values.append([str(state.value) for state in wanted.states])
        conditions.append(f"state = any(${len(values)}::text[])")
    return conditions, values


@strawberry.type
class ReconciliationAdminMutation:
    """Mutations of the back office on reconciliation."""

    @mutation
    async def start_bill_import(self, info: Info, input: StartBillImportInput) -> StartBillImportPayload:  # noqa: A002 - GraphQL's name
        """Take a bill in, whole or not at all. Needs settlement.reconcile."""
        info.context.require(RECONCILE)
        clearing_of(input.source)
        job = await _start(
            info.context,
            "import_bill",
            file=input.file,
            source=input.source,
            format=input.format,
            day=input.day and input.day.isoformat(),
            reconcile=input.reconcile,
        )
        return StartBillImportPayload(job=job)

    @mutation
    async def start_reconciliation(
        self,
        info: Info,
        input: StartReconciliationInput,  # noqa: A002 - GraphQL's name
    ) -> StartReconciliationPayload:
        """Compare a day whose bill is there; repeating it is harmless. Needs settlement.reconcile."""
        info.context.require(RECONCILE)
        clearing_of(input.source)
        job = await _start(info.context, "reconcile", source=input.source, day=input.day.isoformat())
        return StartReconciliationPayload(job=job)

    @mutation
    async def start_reconciliation_export(
        self,
        info: Info,
        input: StartReconciliationExportInput,  # noqa: A002 - GraphQL's name
    ) -> StartReconciliationExportPayload:
        """Have the cases of a day written to a file. Needs settlement.read_reconciliation."""
        info.context.require(READ_RECONCILIATION)
        job = await _start(
            info.context,
            "export_reconciliation",
            source=input.source,
            day=input.day.isoformat(),
            format=str(input.format.value),
        )
        return StartReconciliationExportPayload(job=job)

    @mutation
    async def describe_bill(self, info: Info, input: DescribeBillInput) -> DescribeBillPayload:  # noqa: A002 - GraphQL's name
        """Keep the description of a CSV, in place of one of the same name. Needs settlement.reconcile."""
        info.context.require(RECONCILE)
        await describe_bill(info.context, input.name, input.description)
        return DescribeBillPayload(name=input.name)

    @mutation
    async def claim_reconciliation_case(
        self,
        info: Info,
        input: ClaimReconciliationCaseInput,  # noqa: A002 - GraphQL's name
    ) -> ClaimReconciliationCasePayload:
        """Take a case over. Needs settlement.resolve_cases."""
        info.context.require(RESOLVE_CASES)
        key = key_of("ReconciliationCase", input.id)
        await claim_case(info.context, key, from_others=input.from_others)
        return ClaimReconciliationCasePayload(case=await _case(info.context, key))

    @mutation
    async def release_reconciliation_case(
        self,
        info: Info,
        input: ReleaseReconciliationCaseInput,  # noqa: A002 - GraphQL's name
    ) -> ReleaseReconciliationCasePayload:
        """Give a case back, so that others take it. Needs settlement.resolve_cases."""
        info.context.require(RESOLVE_CASES)
        key = key_of("ReconciliationCase", input.id)
        await release_case(info.context, key)
        return ReleaseReconciliationCasePayload(case=await _case(info.context, key))

    @mutation
    async def comment_reconciliation_case(
        self,
        info: Info,
        input: CommentReconciliationCaseInput,  # noqa: A002 - GraphQL's name
    ) -> CommentReconciliationCasePayload:
        """Write something to a case. Needs settlement.resolve_cases."""
        info.context.require(RESOLVE_CASES)
        key = key_of("ReconciliationCase", input.id)
        await comment_case(info.context, key, input.text)
        return CommentReconciliationCasePayload(case=await _case(info.context, key))

    @mutation
    async def resolve_reconciliation_case(
        self,
        info: Info,
        input: ResolveReconciliationCaseInput,  # noqa: A002 - GraphQL's name
    ) -> ResolveReconciliationCasePayload:
        """Settle a case by its entry in the ledger; the same again is harmless. Needs settlement.resolve_cases."""
        info.context.require(RESOLVE_CASES)
        key = key_of("ReconciliationCase", input.id)
        member = None if input.member_id is None else key_of("Member", input.member_id)
        action = CaseAction(str(input.action.value))
        await resolve_case(info.context, key, action, input.reason, member=member)
        return ResolveReconciliationCasePayload(case=await _case(info.context, key))


async def _start(context: Context, kind: str, *, file: UploadedFile | None = None, **values: Any) -> Job:
    job = await context.kernel.jobs.start(
        f"settlement.{kind}",
        principal=context.principal,
        locale=context.locale,
        file=file,
        correlation_id=context.correlation_id,
        address=context.address,
        **values,
    )
    return Job.of(context, job)


async def _case(context: Context, key: UUID) -> ReconciliationCase | None:
    return (await load_cases(context, [key]))[0]
