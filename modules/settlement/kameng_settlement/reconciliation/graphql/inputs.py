"""What reconciliation's queries and mutations take and answer."""

from __future__ import annotations

from datetime import date
from enum import Enum

import strawberry

from kameng.graphql import payload
from kameng.graphql.uploads import UploadedFile
from kameng.jobs import JobFileTooLarge, JobStoreFull
from kameng.jobs.types import Job
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.ledger import AlreadyRefunded, AlreadyReversed
from kameng_settlement.reconciliation.faults import ActionUnfit, CaseSettled, CaseTaken
from kameng_settlement.reconciliation.graphql.types import CaseDifference, CaseState, ReconciliationCase


@strawberry.enum(name="CaseAction", description="How a case is settled. Fees always go to gateways' fees.")
class CaseActionName(Enum):
    """How a case is settled."""

    EXPLAIN = strawberry.enum_value("EXPLAIN", description="Nothing is posted.")
    SUSPEND = strawberry.enum_value("SUSPEND", description="The money waits to be clarified.")
    WRITE_OFF = strawberry.enum_value("WRITE_OFF", description="The shop gains or loses.")
    CREDIT = strawberry.enum_value("CREDIT", description="A member's wallet gets it, or gives it.")
    REVERSE = strawberry.enum_value("REVERSE", description="Our own entry is reversed.")


@strawberry.enum(description="The form of a file of cases.")
class CaseFileForm(Enum):
    """The forms of files."""

    CSV = "csv"
    XLSX = "xlsx"


@strawberry.input(description="Which cases; what is left out asks for nothing.")
class ReconciliationCaseFilter:
    """Which cases."""

    source: str | None = None
    day: date | None = None
    number: str | None = None
    difference: CaseDifference | None = None
    states: list[CaseState] | None = None
    mine: bool = strawberry.field(default=False, description="Only those that the asker works on.")


@strawberry.input(description="A bill of a gateway.")
class StartBillImportInput:
    """A bill to take in."""

    file: UploadedFile
    source: str = strawberry.field(description="The account, such as wechat:main.")
    format: str = strawberry.field(description="Such as wechat-trade, or the name of a description.")
    day: date | None = strawberry.field(default=None, description="Of the bill; null: of its first row.")
    reconcile: bool = strawberry.field(default=True, description="Compare the day as soon as it is there.")


@strawberry.input(description="A day of an account to compare.")
class StartReconciliationInput:
    """A day to compare."""

    source: str
    day: date


@strawberry.input(description="A day of an account whose cases are to be written to a file.")
class StartReconciliationExportInput:
    """A day to export."""

    source: str
    day: date
    format: CaseFileForm = CaseFileForm.CSV


@payload(JobFileTooLarge, JobStoreFull)
class StartBillImportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload()
class StartReconciliationPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload(JobStoreFull)
class StartReconciliationExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@strawberry.input(description="A CSV that is none of the known bills.")
class DescribeBillInput:
    """A description of a CSV."""

    name: str = strawberry.field(description="Lower-case letters, digits and dashes, such as city-bank.")
    description: str = strawberry.field(
        description="JSON: columns, currency, zone, time, encoding, separator, unit, refunds, fees, kinds, statuses,"
        " comment and footer, as the documentation has them."
    )


@payload()
class DescribeBillPayload:
    """The name under which the description is kept, or why it is not."""

    name: str | None = None


@strawberry.input(description="A case to take over.")
class ClaimReconciliationCaseInput:
    """A case to take over."""

    id: strawberry.ID
    from_others: bool = strawberry.field(
        default=False, description="Take it although somebody else works on it."
    )


@strawberry.input(description="A case to give back.")
class ReleaseReconciliationCaseInput:
    """A case to give back."""

    id: strawberry.ID


@strawberry.input(description="Something to write to a case.")
class CommentReconciliationCaseInput:
    """Something to write to a case."""

    id: strawberry.ID
    text: str


@strawberry.input(description="How a case is settled.")
class ResolveReconciliationCaseInput:
    """How a case is settled."""

    id: strawberry.ID
    action: CaseActionName
    reason: str = strawberry.field(description="Why; it stays in the books, so it names no person.")
    member_id: strawberry.ID | None = strawberry.field(default=None, description="For CREDIT.")


@payload(CaseSettled, CaseTaken)
class ClaimReconciliationCasePayload:
    """The case, or why it stays as it is."""

    case: ReconciliationCase | None = None


@payload(CaseSettled, CaseTaken)
class ReleaseReconciliationCasePayload:
    """The case, or why it stays as it is."""

    case: ReconciliationCase | None = None


@payload()
class CommentReconciliationCasePayload:
    """The case, or why it stays as it is."""

    case: ReconciliationCase | None = None


@payload(ActionUnfit, AlreadyRefunded, AlreadyReversed, CaseSettled, CaseTaken, InsufficientFunds)
class ResolveReconciliationCasePayload:
    """The settled case, or why it is not."""

    case: ReconciliationCase | None = None
