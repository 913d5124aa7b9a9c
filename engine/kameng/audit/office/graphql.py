"""The audit log in the admin schema."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import strawberry

from kameng.audit.office.filtering import EntryFilter
from kameng.audit.office.permissions import READ_AUDIT
from kameng.db import Statement
from kameng.graphql.actors import staff_name
from kameng.graphql.context import Context, Info
from kameng.graphql.exact import Long
from kameng.graphql.node import Node
from kameng.graphql.pages import Connection, Keyset, PageRequest
from kameng.graphql.payload import mutation, payload
from kameng.ids import global_id
from kameng.jobs import JobStoreFull
from kameng.jobs.types import Job

NEWEST = Keyset("audit-newest", (("a.at", "timestamptz"), ("a.id", "uuid")), descending=True)

ENTRIES_BY_ID = Statement(
    "audit.entries_by_id",
    """
    select a.*, c.position from kernel_audit a left join kernel_audit_chain c on c.audit_id = a.id
    where a.id = any($1::uuid[])
    """,
)

CHAIN_STATE = Statement(
    "audit.chain_state",
    # The last check is found by the index kernel_job_kind, backwards.
    """
    select h.position, h.hash, h.signed_at, (select count(*) from kernel_audit_pending) as pending,
        v.ended_at as verified_at, v.result -> 'counts' as verified
    from (select 1) one
    left join lateral (select * from kernel_audit_head order by day desc limit 1) h on true
    left join lateral (
        select ended_at, result from kernel_job where kind = 'audit.verify' and state = 'SUCCEEDED'
        order by id desc limit 1
    ) v on true
    """,
)


@strawberry.input(description="Which entries of the audit log to list; conditions add up.")
class AuditFilter:
    """Which entries to list."""

    actor: str | None = strawberry.field(
        default=None, description="The key of who did it, such as staff:0189…, or its UUID alone."
    )
    action: str | None = strawberry.field(
        default=None,
        description="Exactly this action; with a dot at the end, such as settlement., all that begin so.",
    )
    subject: str | None = strawberry.field(
        default=None, description="Exactly this subject, such as order:0189…."
    )
    since: datetime | None = None
    until: datetime | None = strawberry.field(default=None, description="The first moment that is left out.")

    def plain(self) -> EntryFilter:
        """The same as its reader takes it."""
        return EntryFilter(
            actor=(self.actor or "").strip(),
            action=(self.action or "").strip(),
            subject=(self.subject or "").strip(),
            since=self.since,
            until=self.until,
        )


@strawberry.type(description="What somebody did.")
class AuditEntry(Node):
    """What somebody did."""

    at: datetime
    action: str = strawberry.field(description="What was done, such as settlement.credit_wallet.")
    actor: str = strawberry.field(description="Who did it: a principal's key, such as staff:0189….")
    subject: str = strawberry.field(description="What it was done to, such as order:0189….")
    details: str = strawberry.field(description="What else matters, as JSON; secrets are masked.")
    address: str = strawberry.field(description="Where the request came from; empty if there was none.")
    correlation_id: str = strawberry.field(description="Ties together what one request caused.")
    position: Long | None = strawberry.field(
        default=None, description="Its place in the chain; null while it waits for one, some seconds."
    )

    @strawberry.field(description="The name of who did it, where that was one of the staff.")
    async def actor_name(self, info: Info) -> str | None:
        """The name of who did it."""
        return await staff_name(info.context, self.actor)

    @classmethod
    def of(cls, row: Any) -> AuditEntry:
        """A row as GraphQL shows it."""
        who, key = row["principal_kind"], row["principal_id"]
        return cls(
            id=strawberry.ID(global_id("AuditEntry", row["id"])),
            at=row["at"],
            action=row["action"],
            actor=f"{who}:{key}" if key else who,
            subject=row["subject"],
            details=row["details"],
            address=row["address"],
            correlation_id=row["correlation_id"],
            position=None if row["position"] is None else Long(row["position"]),
        )


@strawberry.type(description="How far the log's hash chain has come, and how far it was last checked.")
class AuditChain:
    """The state of the chain."""

    position: Long = strawberry.field(description="Entries that have their place.")
    pending: Long = strawberry.field(description="Entries that wait for theirs.")
    hash: str | None = strawberry.field(
        description="Of the last place, in hexadecimal: note it down elsewhere."
    )
    signed_at: datetime | None
    verified_at: datetime | None = strawberry.field(
        description="When the whole chain was last recomputed from the back office."
    )
    verified_position: Long | None = strawberry.field(description="Up to which place.")
    findings: Long | None = strawberry.field(description="What was wrong then; 0: nothing.")


@payload(JobStoreFull)
class StartAuditExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@payload(JobStoreFull)
class StartAuditVerificationPayload:
    """The job, or why there is none."""

    job: Job | None = None


@strawberry.type
class AuditQuery:
    """Queries on the audit log."""

    @strawberry.field(description="What was done, the newest first. Needs audit.read.")
    async def audit_entries(
        self,
        info: Info,
        filter: AuditFilter | None = None,  # noqa: A002 - GraphQL's name
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AuditEntry]:
        """A page of entries."""
        info.context.require(READ_AUDIT)
        conditions, values = (filter or AuditFilter()).plain().conditions()
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(NEWEST, len(values) + 1)
        rows = await info.context.db.fetch(
            "select a.*, c.position from kernel_audit a left join kernel_audit_chain c on c.audit_id = a.id"
            f" where {' and '.join([behind, *conditions])} {tail}",
            *values,
            *cursor,
        )
        return page.connection(rows, NEWEST, lambda row: [row["at"], row["id"]], AuditEntry.of)

    @strawberry.field(description="How far the chain has come, and how far it was checked. Needs audit.read.")
    async def audit_chain(self, info: Info) -> AuditChain:
        """The state of the chain."""
        info.context.require(READ_AUDIT)
        row = await info.context.db.fetchrow(CHAIN_STATE)
        assert row is not None  # noqa: S101 - it is one row in any case
        counts = msgspec.json.decode(row["verified"]) if row["verified"] else {}
        return AuditChain(
            position=Long(row["position"] or 0),
            pending=Long(row["pending"]),
            hash=row["hash"].hex() if row["hash"] else None,
            signed_at=row["signed_at"],
            verified_at=row["verified_at"],
            verified_position=Long(counts["entries"]) if counts else None,
            findings=Long(counts["findings"]) if counts else None,
        )


@strawberry.type
class AuditMutation:
    """Mutations on the audit log: none of them changes it."""

    @mutation
    async def start_audit_export(
        self,
        info: Info,
        filter: AuditFilter | None = None,  # noqa: A002 - GraphQL's name
    ) -> StartAuditExportPayload:
        """Have entries written to a CSV file; who had it made and who fetched it is an entry too. Needs audit.read."""
        context = info.context
        context.require(READ_AUDIT)
        wanted = (filter or AuditFilter()).plain()
        wanted.conditions()
        values = msgspec.to_builtins(wanted)
        return StartAuditExportPayload(job=await _started(context, "audit.export", values))

    @mutation
    async def start_audit_verification(self, info: Info) -> StartAuditVerificationPayload:
        """Have the whole chain recomputed and compared with its signatures. Needs audit.read."""
        info.context.require(READ_AUDIT)
        return StartAuditVerificationPayload(job=await _started(info.context, "audit.verify", {}))


async def _started(context: Context, kind: str, values: dict[str, Any]) -> Job:
    job = await context.kernel.jobs.start(
        kind,
        principal=context.principal,
        locale=context.locale,
        correlation_id=context.correlation_id,
        address=context.address,
        **values,
    )
    return Job.of(context, job)


async def entry_nodes(context: Context, keys: Sequence[UUID]) -> list[AuditEntry | None]:
    """Entries by key; None for whoever may not read the log."""
    if not context.principal.may(READ_AUDIT.name):
        return [None] * len(keys)
    found = {row["id"]: AuditEntry.of(row) for row in await context.db.fetch(ENTRIES_BY_ID, list(keys))}
    return [found.get(key) for key in keys]
