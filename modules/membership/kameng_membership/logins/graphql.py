"""Log-ins of the staff in the admin schema: who came in from where, who is still in, and logging people out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.auth import PrincipalKind
from kameng.auth.log_ins import LOG_INS, count_open, log_ins_by_id, page_of_log_ins
from kameng.errors import InvalidInput, NotFound
from kameng.graphql import Connection, Context, Info, Node, mutation, payload
from kameng.graphql.pages import PageRequest
from kameng.ids import global_id, key_of
from kameng_membership.admin_types import (
    MANAGE_MEMBERS,
    MANAGE_STAFF,
    READ_MEMBERS,
    ManagedMember,
    StaffMember,
    managed_member_nodes,
    staff_member,
)
from kameng_membership.credentials import STAFF, confirm_password
from kameng_membership.devices import device_of
from kameng_membership.refusals import WrongCredentials
from kameng_membership.sessions import SessionTransport, renew_session
from kameng_membership.staffing import insist_on_staff
from kameng_membership.statements import LOCK_MEMBER, READ_STAFF

LONGEST_REASON = 500


@strawberry.type(description="A log-in of one of the staff.")
class StaffLogIn(Node):
    """A log-in."""

    staff: strawberry.Private[UUID]
    device: str = strawberry.field(description="Browser and system as it called itself; empty: unknown.")
    address: str = strawberry.field(description="The network address that it came from.")
    at: datetime
    last_seen_at: datetime = strawberry.field(description="When it was last used, to the minute.")
    expires_at: datetime = strawberry.field(description="When it ends at the latest.")
    open: bool = strawberry.field(description="Whether whoever has it is still logged in.")
    current: bool = strawberry.field(description="Whether it is the one that asks.")

    @strawberry.field(description="Who logged in.")
    async def staff_member(self, info: Info) -> StaffMember:
        """Who logged in."""
        found = await info.context.loader(_STAFF, _staff_loader).load(self.staff)
        assert found is not None  # noqa: S101 - nobody of the staff is ever deleted
        return found


@strawberry.type
class LogInsQuery:
    """Queries of log-ins."""

    @strawberry.field(
        description="Log-ins of the staff, the newest first; of one person, or those that are open. They are kept for a"
        " month after their end. Needs membership.manage_staff."
    )
    async def staff_log_ins(
        self,
        info: Info,
        staff_id: strawberry.ID | None = None,
        open: bool | None = None,  # noqa: A002 - GraphQL's name
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[StaffLogIn]:
        """A page of log-ins."""
        context = info.context
        context.require(MANAGE_STAFF)
        page = PageRequest.of(first, after, last, before)
        staff = key_of("StaffMember", staff_id) if staff_id else None
        rows = await page_of_log_ins(context.kernel, page, PrincipalKind.STAFF, staff, live=open)
        return page.connection(
            rows, LOG_INS, lambda row: [row["id"]], lambda row: _log_in(row, context.principal.session)
        )


@strawberry.type
class LoggedInMember:
    """What log-ins add to a member in the back office."""

    @strawberry.field(description="In how many places the member is logged in.")
    async def open_sessions(self, info: Info) -> int:
        """How many sessions are open."""
        info.context.require(READ_MEMBERS)
        key = key_of("Member", cast("ManagedMember", self).id)
        return await info.context.loader(_OPEN, _open_loader).load(key)


@strawberry.input(description="Whom of the staff to log out.")
class EndStaffSessionsInput:
    """Whom to log out."""

    staff_id: strawberry.ID
    log_in_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only this log-in; null: everywhere, except where you ask from."
    )


@payload()
class EndStaffSessionsPayload:
    """How many sessions were ended."""

    ended: int = 0
    staff_member: StaffMember | None = None


@strawberry.input(description="A member to log out everywhere.")
class EndMemberSessionsInput:
    """A member to log out."""

    member_id: strawberry.ID
    reason: str = strawberry.field(description="Why; it stays in the audit log, so it names no person.")


@payload()
class EndMemberSessionsPayload:
    """How many sessions were ended."""

    ended: int = 0
    member: ManagedMember | None = None


@strawberry.input(description="One's own password once more.")
class ConfirmPasswordInput:
    """One's own password."""

    password: str
    transport: SessionTransport = SessionTransport.COOKIE


@payload(WrongCredentials)
class ConfirmPasswordPayload:
    """Whether it was right."""

    confirmed: bool = False
    token: str | None = strawberry.field(default=None, description="The session's new token, if asked for.")


@strawberry.type
class LogInsMutation:
    """Mutations of log-ins."""

    @mutation
    async def end_staff_sessions(
        self,
        info: Info,
        input: EndStaffSessionsInput,  # noqa: A002 - GraphQL's name
    ) -> EndStaffSessionsPayload:
        """Log somebody of the staff out, at once. Needs membership.manage_staff."""
        context = info.context
        context.require(MANAGE_STAFF)
        staff = key_of("StaffMember", input.staff_id)
        sessions = context.kernel.auth.sessions
        async with context.db.transaction():
            await insist_on_staff(context, staff)
            if input.log_in_id is None:
                keep = context.principal.session if context.principal.id == staff else None
                ended = await sessions.revoke_all(PrincipalKind.STAFF, staff, keep=keep)
            else:
                key = key_of("StaffLogIn", input.log_in_id)
                [row] = await log_ins_by_id(context.kernel, PrincipalKind.STAFF, [key])
                if row is None or row["principal_id"] != staff:
                    raise NotFound("There is no such log-in.", cure="Look at the list again.")
                ended = int(await sessions.revoke(key))
            await _record(context, "membership.end_staff_sessions", f"staff:{staff}", {"ended": ended})
        return EndStaffSessionsPayload(ended=ended, staff_member=await staff_member(context, staff))

    @mutation
    async def end_member_sessions(
        self,
        info: Info,
        input: EndMemberSessionsInput,  # noqa: A002 - GraphQL's name
    ) -> EndMemberSessionsPayload:
        """Log a member out everywhere, at once; it may log in again. Needs membership.manage_members."""
        context = info.context
        context.require(MANAGE_MEMBERS)
        member, reason = key_of("Member", input.member_id), input.reason.strip()
        if not 1 <= len(reason) <= LONGEST_REASON:
            raise InvalidInput(
                "Logging out needs a reason.",
                cure=f"Write 1 to {LONGEST_REASON} characters.",
                path=("input", "reason"),
            )
        async with context.db.transaction():
            if await context.db.fetchrow(LOCK_MEMBER, member) is None:
                raise NotFound("There is no such member.", cure="`members` lists them.")
            ended = await context.kernel.auth.sessions.revoke_all(PrincipalKind.MEMBER, member)
            await _record(
                context,
                "membership.end_member_sessions",
                f"member:{member}",
                {"ended": ended, "reason": reason},
            )
        return EndMemberSessionsPayload(
            ended=ended, member=(await managed_member_nodes(context, [member]))[0]
        )

    @mutation(idempotency="none")
    async def confirm_password(
        self,
        info: Info,
        input: ConfirmPasswordInput,  # noqa: A002 - GraphQL's name
    ) -> ConfirmPasswordPayload:
        """Prove once more that it is you, before what asks for a fresh proof. The session gets a new token."""
        context = info.context
        await confirm_password(context, STAFF, input.password)
        return ConfirmPasswordPayload(confirmed=True, token=await renew_session(context, input.transport))


async def log_in_nodes(context: Context, keys: Sequence[UUID]) -> list[StaffLogIn | None]:
    """Log-ins for ``node(id:)``; None for all without the permission to manage staff."""
    if not context.principal.may(MANAGE_STAFF):
        return [None] * len(keys)
    rows = await log_ins_by_id(context.kernel, PrincipalKind.STAFF, keys)
    return [None if row is None else _log_in(row, context.principal.session) for row in rows]


def _log_in(row: Mapping[str, Any], current: UUID | None) -> StaffLogIn:
    return StaffLogIn(
        id=strawberry.ID(global_id("StaffLogIn", row["id"])),
        staff=row["principal_id"],
        device=device_of(row["user_agent"]),
        address=row["address"],
        at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
        open=row["open"],
        current=row["id"] == current,
    )


_STAFF, _OPEN = object(), object()


def _staff_loader(context: Context) -> DataLoader[UUID, StaffMember | None]:
    async def load(keys: list[UUID]) -> list[StaffMember | None]:
        found = {row["id"]: StaffMember.of(row) for row in await context.db.fetch(READ_STAFF, keys)}
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load)


def _open_loader(context: Context) -> DataLoader[UUID, int]:
    async def load(keys: list[UUID]) -> list[int]:
        return await count_open(context.kernel, PrincipalKind.MEMBER, keys)

    return DataLoader(load_fn=load)


async def _record(context: Context, action: str, subject: str, details: dict[str, str | int]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=subject,
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
