"""The back office's fields for jobs; there where a module has kinds of jobs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import MappingProxyType
from typing import Any
from uuid import UUID

import strawberry

from kameng.auth.principal import PrincipalKind
from kameng.db import Statement
from kameng.errors import Forbidden, NotFound, Unauthenticated
from kameng.graphql.context import Context, Info
from kameng.graphql.pages import Connection, Keyset, PageRequest
from kameng.graphql.payload import mutation, payload
from kameng.ids import key_of
from kameng.jobs.errors import JobCannotBeConfirmed, JobCannotBeRolledBack, JobNotOpen
from kameng.jobs.job import Job as Stored
from kameng.jobs.job import JobState, job_of
from kameng.jobs.jobs import topic_of
from kameng.jobs.types import Job, job_nodes
from kameng.module import SchemaPart

NEWEST = Keyset("jobs", (("j.id", "uuid"),), descending=True)


@strawberry.input(description="A job to cancel.")
class CancelJobInput:
    """A job to cancel."""

    id: strawberry.ID


@payload(JobNotOpen)
class CancelJobPayload:
    """The job, or why it goes on."""

    job: Job | None = None


@strawberry.input(description="A job to undo.")
class RollBackJobInput:
    """A job to undo."""

    id: strawberry.ID


@payload(JobCannotBeRolledBack)
class RollBackJobPayload:
    """The job, which is being undone, or why it is not."""

    job: Job | None = None


@strawberry.input(description="A dry run to do in earnest.")
class ConfirmJobInput:
    """A dry run to do in earnest."""

    id: strawberry.ID
    keep_good: bool | None = strawberry.field(
        default=None,
        description="Take the sound lines of its file although others are faulty; null: as it was.",
    )


@payload(JobCannotBeConfirmed)
class ConfirmJobPayload:
    """The job that does it, or why there is none."""

    job: Job | None = None


@strawberry.type
class JobsQuery:
    """What the staff reads of jobs."""

    @strawberry.field(description="The jobs of those kinds that you may start, the newest first.")
    async def jobs(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        kind: str | None = None,
        state: JobState | None = None,
    ) -> Connection[Job]:
        """A page of jobs."""
        context = info.context
        kinds = _kinds(context)
        page = PageRequest.of(first, after, last, before)
        wanted: list[Any] = [[name for name in kinds if kind is None or name == kind]]
        conditions = ["j.kind = any($1::text[])"]
        if state is not None:
            wanted.append(state.value)
            conditions.append("j.state = $2")
        behind, tail, cursor = page.clauses(NEWEST, len(wanted) + 1)
        sql = f"select j.* from kernel_job j where {' and '.join([*conditions, behind])} {tail}"
        rows = await context.db.fetch(Statement("kernel.list_jobs", sql), *wanted, *cursor)
        return page.connection(
            rows, NEWEST, lambda row: [row["id"]], lambda row: Job.of(context, job_of(row))
        )

    @strawberry.field(description="A job.")
    async def job(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
    ) -> Job | None:
        """One job."""
        _kinds(info.context)
        found = await info.context.kernel.jobs.find(key_of("Job", id), info.context.principal)
        return None if found is None else Job.of(info.context, found)


@strawberry.type
class JobsMutation:
    """What the staff does with jobs."""

    @mutation
    async def cancel_job(self, info: Info, input: CancelJobInput) -> CancelJobPayload:  # noqa: A002 - GraphQL's name
        """Cancel a job: at once while it waits, else as soon as nothing is half done. What it did before stays."""
        context = info.context
        _kinds(context)
        job = await context.kernel.jobs.cancel(
            key_of("Job", input.id),
            context.principal,
            correlation_id=context.correlation_id,
            address=context.address,
        )
        return CancelJobPayload(job=Job.of(context, job))

    @mutation
    async def confirm_job(self, info: Info, input: ConfirmJobInput) -> ConfirmJobPayload:  # noqa: A002 - GraphQL's name
        """Have done in earnest what a dry run told of, with the same file and values; once."""
        context = info.context
        _kinds(context)
        changed = {} if input.keep_good is None else {"keep_good": input.keep_good}
        job = await context.kernel.jobs.confirm(
            key_of("Job", input.id),
            context.principal,
            correlation_id=context.correlation_id,
            address=context.address,
            **changed,
        )
        return ConfirmJobPayload(job=Job.of(context, job))

    @mutation
    async def roll_back_job(self, info: Info, input: RollBackJobInput) -> RollBackJobPayload:  # noqa: A002 - GraphQL's name
        """Undo what a job did, row by row, as far as nobody has changed it since; its file `undone` tells of each row."""
        context = info.context
        _kinds(context)
        job = await context.kernel.jobs.roll_back(
            key_of("Job", input.id),
            context.principal,
            correlation_id=context.correlation_id,
            address=context.address,
        )
        return RollBackJobPayload(job=Job.of(context, job))


@strawberry.type
class JobsSubscription:
    """Jobs as they go on."""

    @strawberry.subscription(
        description="A job as it stands now, then each time it has changed, at most a few times a second; ends when it has."
    )
    async def job_progress(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
    ) -> AsyncGenerator[Job, None]:
        """Refused at once if there is no such job."""
        key = key_of("Job", id)
        if await info.context.kernel.jobs.find(key, info.context.principal) is None:
            raise NotFound("There is no such job.", cure="Check its id.")
        return _progress(info.context, key)


async def _progress(context: Context, key: UUID) -> AsyncGenerator[Job, None]:
    last: Stored | None = None
    async with context.kernel.live.subscribe(topic_of(key)) as signals:
        # Read only now: what changes from here on is signalled.
        while True:
            now = await context.kernel.jobs.find(key, context.principal)
            if now is None:
                return
            if now != last:
                last = now
                yield Job.of(context, now)
            if not now.state.open:
                return
            await anext(signals)


def _kinds(context: Context) -> list[str]:
    """The kinds that the principal may see.

    Raises:
        Unauthenticated, Forbidden: none of them.
    """
    kinds = context.kernel.jobs.kinds_seen(context.principal)
    if not kinds:
        if context.principal.kind is PrincipalKind.VISITOR:
            raise Unauthenticated(
                "This needs a log-in.", cure="Log in and send the session's cookie or token."
            )
        raise Forbidden(
            "This needs the permission for some kind of job.",
            cure="Ask an administrator to add one to one of your roles.",
        )
    return kinds


ADMIN = SchemaPart(
    query=JobsQuery,
    mutation=JobsMutation,
    subscription=JobsSubscription,
    nodes=MappingProxyType({"Job": job_nodes}),
)
