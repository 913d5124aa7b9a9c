"""The admin schema's way in and out: the first administrator, invitations, log-in, one's own password."""

from __future__ import annotations

import strawberry

from kameng.auth import OneTimeTokenInvalid, PrincipalKind, WeakPassword
from kameng.graphql import Info, mutation, payload
from kameng_membership.admin_types import StaffMember, staff_member
from kameng_membership.credentials import STAFF, change_password, prove
from kameng_membership.first_administrator import create_first_administrator
from kameng_membership.refusals import AccountBlocked, AlreadySetUp, WrongCredentials
from kameng_membership.sessions import SessionTransport, end_session, open_session
from kameng_membership.staffing import accept_invitation


@strawberry.type
class EntryQuery:
    """Who came in."""

    @strawberry.field(description="Who of the staff is logged in; null for a visitor.")
    async def viewer(self, info: Info) -> StaffMember | None:
        """Who is logged in."""
        principal = info.context.principal
        if principal.kind is not PrincipalKind.STAFF or principal.id is None:
            return None
        return await staff_member(info.context, principal.id)


@strawberry.input(description="The first administrator.")
class CreateFirstAdministratorInput:
    """The first administrator."""

    token: str = strawberry.field(description="From the one-time link that the start of the shop printed.")
    email: str
    password: str
    name: str
    transport: SessionTransport = SessionTransport.COOKIE


@payload(OneTimeTokenInvalid, AlreadySetUp, WeakPassword)
class CreateFirstAdministratorPayload:
    """The first administrator, logged in, or why there is none."""

    staff_member: StaffMember | None = None
    token: str | None = strawberry.field(default=None, description="The session's token, if asked for.")


@strawberry.input(description="Somebody of the staff who wants to come in.")
class LogInInput:
    """Somebody of the staff who wants to come in."""

    email: str
    password: str
    transport: SessionTransport = SessionTransport.COOKIE


@payload(WrongCredentials, AccountBlocked)
class LogInPayload:
    """Who is logged in now, or why nobody is."""

    staff_member: StaffMember | None = None
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
    """Whose password was changed, or why it was not."""

    staff_member: StaffMember | None = None


@strawberry.input(description="An invitation to accept.")
class AcceptInvitationInput:
    """An invitation to accept."""

    token: str = strawberry.field(description="From the link.")
    password: str
    transport: SessionTransport = SessionTransport.COOKIE


@payload(OneTimeTokenInvalid, WeakPassword)
class AcceptInvitationPayload:
    """Who is on the staff and logged in now, or why nobody is."""

    staff_member: StaffMember | None = None
    token: str | None = strawberry.field(default=None, description="The session's token, if asked for.")


@strawberry.type
class EntryMutation:
    """Coming in and going out."""

    @mutation(idempotency="none")
    async def create_first_administrator(
        self,
        info: Info,
        input: CreateFirstAdministratorInput,  # noqa: A002 - GraphQL's name
    ) -> CreateFirstAdministratorPayload:
        """Become the first administrator of a fresh shop, and be logged in."""
        context = info.context
        key = await create_first_administrator(context, input.token, input.email, input.password, input.name)
        token = await open_session(context, PrincipalKind.STAFF, key, input.transport)
        return CreateFirstAdministratorPayload(staff_member=await staff_member(context, key), token=token)

    @mutation(idempotency="none")
    async def accept_invitation(
        self,
        info: Info,
        input: AcceptInvitationInput,  # noqa: A002 - GraphQL's name
    ) -> AcceptInvitationPayload:
        """Accept an invitation by setting a password, and be logged in."""
        context = info.context
        key = await accept_invitation(context, input.token, input.password)
        token = await open_session(context, PrincipalKind.STAFF, key, input.transport)
        return AcceptInvitationPayload(staff_member=await staff_member(context, key), token=token)

    @mutation(idempotency="none")
    async def log_in(self, info: Info, input: LogInInput) -> LogInPayload:  # noqa: A002 - GraphQL's name
        """Log in to the back office with e-mail address and password."""
        context = info.context
        row = await prove(context, STAFF, input.email, input.password)
        if row["state"] != "active":
            raise AccountBlocked("This account is disabled.", cure="Ask an administrator.")
        token = await open_session(context, PrincipalKind.STAFF, row["id"], input.transport)
        return LogInPayload(staff_member=await staff_member(context, row["id"]), token=token)

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
        key = await change_password(info.context, STAFF, input.current_password, input.new_password)
        return ChangePasswordPayload(staff_member=await staff_member(info.context, key))
