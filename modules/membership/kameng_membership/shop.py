"""Membership's part of the shop schema: registering, coming in, going out, and who one is."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from kameng.auth import OneTimeTokenInvalid, PrincipalKind, WeakPassword
from kameng.errors import NotFound
from kameng.graphql import Context, Info, mutation, payload
from kameng_membership.credentials import MEMBERS, change_password, prove
from kameng_membership.refusals import AccountBlocked, EmailTaken, MailNotSetUp, WrongCredentials
from kameng_membership.registering import register
from kameng_membership.resetting import request_reset, reset_password
from kameng_membership.sessions import SessionTransport, end_session, open_session
from kameng_membership.types import Member, member_of, member_rows


@strawberry.type
class MembershipQuery:
    """Queries of the shop."""

    @strawberry.field(description="The member who is logged in; null for a visitor.")
    async def viewer(self, info: Info) -> Member | None:
        """The member who is logged in."""
        principal = info.context.principal
        if principal.kind is not PrincipalKind.MEMBER or principal.id is None:
            return None
        return (await member_nodes(info.context, [principal.id]))[0]


@strawberry.input(description="Somebody who wants to become a member.")
class RegisterInput:
    """Somebody who wants to become a member."""

    email: str
    password: str
    display_name: str = ""
    transport: SessionTransport = SessionTransport.COOKIE


@payload(EmailTaken, WeakPassword)
class RegisterPayload:
    """The new member, logged in, or why there is none."""

    member: Member | None = None
    token: str | None = strawberry.field(default=None, description="The session's token, if asked for.")


@strawberry.input(description="A member who wants to come in.")
class LogInInput:
    """A member who wants to come in."""

    email: str
    password: str
    transport: SessionTransport = SessionTransport.COOKIE


@payload(WrongCredentials, AccountBlocked)
class LogInPayload:
    """The member who is logged in now, or why nobody is."""

    member: Member | None = None
    token: str | None = strawberry.field(default=None, description="The session's token, if asked for.")


@payload()
class LogOutPayload:
    """What became of the session."""

    logged_out: bool = strawberry.field(default=False, description="Whether there was a session to end.")


@strawberry.input(description="A change of one's own password.")
class ChangePasswordInput:
    """A change of one's own password."""

    current_password: str
    new_password: str


@payload(WrongCredentials, WeakPassword)
class ChangePasswordPayload:
    """The member with the new password, or why there is none."""

    member: Member | None = None


@strawberry.input(description="A request for a link to set a new password.")
class RequestPasswordResetInput:
    """A request for a link to set a new password."""

    email: str


@payload(MailNotSetUp)
class RequestPasswordResetPayload:
    """Whether the request was taken. It does not tell whether anybody has this address."""

    requested: bool = False


@strawberry.input(description="A new password, by the link that was mailed.")
class ResetPasswordInput:
    """A new password, by the link that was mailed."""

    token: str = strawberry.field(description="From the link.")
    new_password: str


@payload(OneTimeTokenInvalid, WeakPassword)
class ResetPasswordPayload:
    """Whether the new password is set, or why not."""

    reset: bool = False


@strawberry.type
class MembershipMutation:
    """Mutations of the shop."""

    @mutation(idempotency="none")
    async def register(self, info: Info, input: RegisterInput) -> RegisterPayload:  # noqa: A002 - GraphQL's name
        """Become a member, and be logged in."""
        context = info.context
        key = await register(context, input.email, input.password, input.display_name)
        token = await open_session(context, PrincipalKind.MEMBER, key, input.transport)
        return RegisterPayload(member=await _own(context, key), token=token)

    @mutation(idempotency="none")
    async def log_in(self, info: Info, input: LogInInput) -> LogInPayload:  # noqa: A002 - GraphQL's name
        """Log in with e-mail address and password."""
        context = info.context
        row = await prove(context, MEMBERS, input.email, input.password)
        if not row["active"]:
            raise AccountBlocked("This account is blocked.", cure="Ask the shop's support.")
        token = await open_session(context, PrincipalKind.MEMBER, row["id"], input.transport)
        return LogInPayload(member=await _own(context, row["id"]), token=token)

    @mutation(idempotency="none")
    async def log_out(self, info: Info) -> LogOutPayload:
        """Log out: this session ends, wherever its token was copied to."""
        return LogOutPayload(logged_out=await end_session(info.context))

    @mutation(idempotency="none")
    async def change_password(
        self,
        info: Info,
        input: ChangePasswordInput,  # noqa: A002 - GraphQL's name
    ) -> ChangePasswordPayload:
        """Change one's own password. All other sessions end."""
        key = await change_password(info.context, MEMBERS, input.current_password, input.new_password)
        return ChangePasswordPayload(member=await _own(info.context, key))

    @mutation(idempotency="none")
    async def request_password_reset(
        self,
        info: Info,
        input: RequestPasswordResetInput,  # noqa: A002 - GraphQL's name
    ) -> RequestPasswordResetPayload:
        """Have a link mailed by which a forgotten password is replaced, if somebody has this address."""
        await request_reset(info.context, input.email)
        return RequestPasswordResetPayload(requested=True)

    @mutation(idempotency="none")
    async def reset_password(
        self,
        info: Info,
        input: ResetPasswordInput,  # noqa: A002 - GraphQL's name
    ) -> ResetPasswordPayload:
        """Set a new password by the mailed link. All sessions end; log in with the new password afterwards."""
        await reset_password(info.context, input.token, input.new_password)
        return ResetPasswordPayload(reset=True)


async def _own(context: Context, key: UUID) -> Member:
    row = (await member_rows(context, [key]))[0]
    if row is None:
        raise NotFound("This account is gone.", cure="Ask the shop's support.")
    return member_of(row)


async def member_nodes(context: Context, keys: Sequence[UUID]) -> list[Member | None]:
    """Members for ``node(id:)``: in the shop everybody sees only himself."""
    principal = context.principal
    own = principal.id if principal.kind is PrincipalKind.MEMBER else None
    rows = await member_rows(context, [key for key in keys if key == own])
    found = member_of(rows[0]) if rows and rows[0] else None
    return [found if key == own else None for key in keys]
