"""Jobs as the back office's schema shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.graphql.context import Context, Info
from kameng.graphql.exact import Long
from kameng.graphql.node import Node
from kameng.ids import global_id
from kameng.jobs.job import Job as Stored
from kameng.jobs.job import JobFile as StoredFile
from kameng.jobs.job import JobReport as StoredReport
from kameng.jobs.job import JobState, RowChange
from kameng.jobs.links import link_to

STATE = strawberry.enum(JobState, name="JobState", description="How far a job is.")


@strawberry.type(description="A number that a job reports.")
class JobCount:
    """A number that a job reports."""

    name: str = strawberry.field(description="Such as `created`.")
    count: Long


@strawberry.type(description="Why something was not done.")
class JobProblem:
    """Why something was not done."""

    line: int = strawberry.field(description="The line of the file; 0 where there is none.")
    subject: str = strawberry.field(description="A column, or what names the row.")
    reason: str


@strawberry.type(description="A value that changes; empty for none.")
class JobFieldChange:
    """A value that changes."""

    name: str
    old: str
    new: str


@strawberry.type(description="What becomes of a row.")
class JobChange:
    """What becomes of a row."""

    subject: str = strawberry.field(description="Names the row, such as a SKU.")
    outcome: str = strawberry.field(description="Such as `created`, `updated` or `restored`.")
    fields: list[JobFieldChange]

    @staticmethod
    def of(change: RowChange) -> JobChange:
        """From what is stored."""
        return JobChange(
            subject=change.subject,
            outcome=change.outcome,
            fields=[JobFieldChange(name=item.name, old=item.old, new=item.new) for item in change.fields],
        )


@strawberry.type(
    description="What a job did, or would do in a dry run. Its files hold all of what is listed here."
)
class JobReport:
    """What a job did."""

    applied: bool = strawberry.field(description="Whether anything was written.")
    counts: list[JobCount]
    problem_count: Long
    problems: list[JobProblem] = strawberry.field(description="The first of them.")
    changes: list[JobChange] = strawberry.field(
        description="The first of them, each with its old and new values."
    )
    subject: strawberry.ID | None = strawberry.field(description="What came of it, such as a batch of cards.")

    @staticmethod
    def of(report: StoredReport | None) -> JobReport | None:
        """From what is stored."""
        return (
            None
            if report is None
            else JobReport(
                applied=report.applied,
                counts=[JobCount(name=name, count=Long(count)) for name, count in report.counts.items()],
                problem_count=Long(report.problem_count),
                problems=[
                    JobProblem(line=item.line, subject=item.subject, reason=item.reason)
                    for item in report.problems
                ],
                changes=[JobChange.of(change) for change in report.changes],
                subject=strawberry.ID(report.subject) if report.subject else None,
            )
        )


@strawberry.type(description="Why a job failed.")
class JobFailure:
    """Why a job failed."""

    code: str
    message: str
    cure: str


@strawberry.type(description="A file that a job read or made.")
class JobFile:
    """A file of a job."""

    stored: strawberry.Private[StoredFile]
    role: str = strawberry.field(description="`input`, `problems`, `changes`, `output` or `undone`.")
    name: str
    media_type: str
    size: Long = strawberry.field(description="Bytes.")
    confidential: bool = strawberry.field(description="Whether each download goes into the audit log.")
    expires_at: datetime = strawberry.field(description="When it is deleted.")

    @strawberry.field(
        description="Where you can fetch it for the next five minutes, logged in as you are now. Ask again after that."
    )
    def url(self, info: Info) -> str:
        """A signed link for the principal who asks."""
        return link_to(info.context.kernel, self.stored, info.context.principal)

    @staticmethod
    def of(file: StoredFile) -> JobFile:
        """From what is stored."""
        return JobFile(
            stored=file,
            role=file.role,
            name=file.name,
            media_type=file.media_type,
            size=Long(file.size),
            confidential=file.confidential,
            expires_at=file.expires_at,
        )


@strawberry.type(description="Bulk work that a worker does: an import, an export, a change of many things.")
class Job(Node):
    """A job."""

    key: strawberry.Private[UUID]
    kind: str = strawberry.field(description="Such as `catalog.import_products`.")
    title: str = strawberry.field(description="The kind in the language of the request.")
    state: JobState
    dry_run: bool = strawberry.field(description="Whether it only tells what it would do.")
    rolling_back: bool = strawberry.field(description="Whether it is being undone, or was.")
    started_by: str = strawberry.field(description="Who asked for it, such as `staff:0189…`.")
    rows_done: Long
    rows_total: Long | None = strawberry.field(description="Null as long as nobody knows.")
    problem_count: Long
    cancel_requested: bool
    can_be_rolled_back: bool
    can_be_confirmed: bool = strawberry.field(
        description="Whether it is a dry run that can be done in earnest."
    )
    confirmed_as: strawberry.ID | None = strawberry.field(
        description="The job that does in earnest what this dry run told of."
    )
    report: JobReport | None = strawberry.field(description="What it did, once it has ended.")
    undone: JobReport | None = strawberry.field(description="What its roll-back did.")
    failure: JobFailure | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @strawberry.field(description="What it read and made, as long as it is kept.")
    async def files(self, info: Info) -> list[JobFile]:
        """Its files, those of all jobs of an answer read at once."""
        files = await _files(info.context).load(self.key)
        # A file full of secrets came in to be sealed; nobody gets it back.
        return [JobFile.of(file) for file in files if not (file.role == "input" and file.confidential)]

    @staticmethod
    def of(context: Context, job: Stored) -> Job:
        """From what is stored."""
        kind = context.kernel.jobs.kinds.get(job.kind)
        title = job.kind if kind is None else (kind.title_zh if context.locale == "zh-CN" else kind.title_en)
        undoable = kind is not None and kind.roll_back is not None and job.changed
        return Job(
            id=strawberry.ID(global_id("Job", job.id)),
            key=job.id,
            kind=job.kind,
            title=title,
            state=job.state,
            dry_run=job.dry_run,
            rolling_back=job.rolling_back,
            started_by=job.owner.key,
            rows_done=Long(job.rows_done),
            rows_total=None if job.rows_total is None else Long(job.rows_total),
            problem_count=Long(job.problems),
            cancel_requested=job.cancel_requested,
            can_be_rolled_back=undoable and not job.state.open and job.state is not JobState.ROLLED_BACK,
            can_be_confirmed=job.dry_run and job.state is JobState.SUCCEEDED and not job.confirmed,
            confirmed_as=strawberry.ID(global_id("Job", job.confirmed)) if job.confirmed else None,
            report=JobReport.of(job.result),
            undone=JobReport.of(job.undone),
            failure=None
            if job.error is None
            else JobFailure(code=job.error.code, message=job.error.message, cure=job.error.cure),
            created_at=job.created_at,
            started_at=job.started_at,
            ended_at=job.ended_at,
        )


def _files(context: Context) -> DataLoader[UUID, list[StoredFile]]:
    def make(context: Context) -> DataLoader[UUID, list[StoredFile]]:
        async def load(keys: list[UUID]) -> list[list[StoredFile]]:
            found = await context.kernel.jobs.files.of_jobs(keys)
            return [found[key] for key in keys]

        return DataLoader(load_fn=load)

    return context.loader("kernel.job_files", make)


async def job_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Job | None]:
    """Jobs by key, for ``node(id:)``."""
    found = await context.kernel.jobs.find_all(keys, context.principal)
    return [None if job is None else Job.of(context, job) for job in found]
