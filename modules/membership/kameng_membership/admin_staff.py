"""The admin schema's part on staff: the first administrator, coming in, inviting, roles."""

from __future__ import annotations

from uuid import UUID

import strawberry

from kameng.auth import OneTimeTokenInvalid, PrincipalKind, WeakPassword
from kameng.errors import NotFound
from kameng.graphql import Connection, Context, Info, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import key_of
from kameng_membership.admin_types import MANAGE_STAFF, Permission, Role, StaffMember
from kameng_membership.credentials import STAFF, change_password, prove
from kameng_membership.first_administrator import create_first_administrator
from kameng_membership.refusals import (
    AccountBlocked,
    AlreadySetUp,
    EmailTaken,
    LastAdministrator,
    WrongCredentials,
)
from kameng_membership.sessions import SessionTransport, end_session, open_session
from kameng_membership.staffing import (
    accept_invitation,
    invite,
    read_roles,
    save_role,
    set_enabled,
    set_roles,
)
from kameng_membership.statements import READ_STAFF

NEWEST = Keyset("staff-newest", (("s.id", "uuid"),), descending=True)


@strawberry.type
class StaffQuery:
    """Queries on staff."""

    @strawberry.field(description="Who of the staff is logged in; null for a visitor.")
    async def viewer(self, info: Info) -> StaffMember | None:
        """Who is logged in."""
        principal = info.context.principal
        if principal.kind is not PrincipalKind.STAFF or principal.id is None:
            return None
        return await _staff(info.context, principal.id)

    @strawberry.field(description="The staff, the newest first.")
    async def staff(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[StaffMember]:
        """A page of the staff."""
        info.context.require(MANAGE_STAFF)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(NEWEST, 1)
        rows = await info.context.db.fetch(
            f"""
            select s.*, array(select sr.role from membership_staff_role sr where sr.staff = s.id) as roles
            from membership_staff s where {behind} {tail}
            """,
            *cursor,
        )
        return page.connection(rows, NEWEST, lambda row: [row["id"]], StaffMember.of)

    @strawberry.field(description="All roles, by name.")
    async def roles(self, info: Info) -> list[Role]:
        """All roles."""
        info.context.require(MANAGE_STAFF)
        return [Role.of(role) for role in await read_roles(info.context.db)]

    @strawberry.field(description="All permissions that the enabled modules bring, by name.")
    async def permissions(self, info: Info) -> list[Permission]:
        """All permissions."""
        info.context.require(MANAGE_STAFF)
        declared = info.context.kernel.permissions
        return [Permission(declared=declared[name], name=name) for name in sorted(declared)]


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


@strawberry.input(description="Somebody to invite to the staff.")
class CreateStaffInput:
    """Somebody to invite to the staff."""

    email: str
    name: str
    role_ids: list[strawberry.ID]


@payload(EmailTaken)
class CreateStaffPayload:
    """Who was invited, or why nobody was."""

    staff_member: StaffMember | None = None
    invitation_link: str | None = strawberry.field(
        default=None,
        description="Works once, for whoever has it; hand it over safely. It is shown only here.",
    )


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


@strawberry.input(description="Somebody's new roles.")
class SetStaffRolesInput:
    """Somebody's new roles."""

    staff_id: strawberry.ID
    role_ids: list[strawberry.ID] = strawberry.field(
        description="All of them; those left out are taken away."
    )


@payload(LastAdministrator)
class SetStaffRolesPayload:
    """The person with the new roles, or why there are none."""

    staff_member: StaffMember | None = None


@strawberry.input(description="Whether somebody of the staff may come in.")
class SetStaffEnabledInput:
    """Whether somebody of the staff may come in."""

    staff_id: strawberry.ID
    enabled: bool


@payload(LastAdministrator)
class SetStaffEnabledPayload:
    """The person, or why nothing was changed."""

    staff_member: StaffMember | None = None


@strawberry.input(description="A role to make, or to change.")
class SaveRoleInput:
    """A role to make, or to change."""

    name: str = strawberry.field(description="Stable; the role of this name is changed for all who have it.")
    title_zh: str
    title_en: str
    permissions: list[str] = strawberry.field(description="Names of permissions; * is all of them.")


@payload(LastAdministrator)
class SaveRolePayload:
    """The role, or why it was not saved."""

    role: Role | None = None


@strawberry.type
class StaffMutation:
    """Mutations on staff."""

    @mutation
    async def create_first_administrator(
        self,
        info: Info,
        input: CreateFirstAdministratorInput,  # noqa: A002 - GraphQL's name
    ) -> CreateFirstAdministratorPayload:
        """Become the first administrator of a fresh shop, and be logged in."""
        context = info.context
        key = await create_first_administrator(context, input.token, input.email, input.password, input.name)
        token = await open_session(context, PrincipalKind.STAFF, key, input.transport)
        return CreateFirstAdministratorPayload(staff_member=await _staff(context, key), token=token)

    @mutation
    async def log_in(self, info: Info, input: LogInInput) -> LogInPayload:  # noqa: A002 - GraphQL's name
        """Log in to the back office with e-mail address and password."""
        context = info.context
        row = await prove(context, STAFF, input.email, input.password)
        if row["state"] != "active":
            raise AccountBlocked("This account is disabled.", cure="Ask an administrator.")
        token = await open_session(context, PrincipalKind.STAFF, row["id"], input.transport)
        return LogInPayload(staff_member=await _staff(context, row["id"]), token=token)

    @mutation
    async def log_out(self, info: Info) -> LogOutPayload:
        """Log out: this session ends, wherever its token was copied to."""
        return LogOutPayload(logged_out=await end_session(info.context))

    @mutation
    async def change_password(
        self,
        info: Info,
        input: ChangePasswordInput,  # noqa: A002 - GraphQL's name
    ) -> ChangePasswordPayload:
        """Change one's own password. All other sessions end."""
        key = await change_password(info.context, STAFF, input.current_password, input.new_password)
        return ChangePasswordPayload(staff_member=await _staff(info.context, key))

    @mutation
    async def create_staff(
        self,
        info: Info,
        input: CreateStaffInput,  # noqa: A002 - GraphQL's name
    ) -> CreateStaffPayload:
        """Invite somebody to the staff; who was invited before and has not accepted gets a new link."""
        info.context.require(MANAGE_STAFF)
        roles = [key_of("Role", role) for role in input.role_ids]
        key, link = await invite(info.context, input.email, input.name, roles)
        return CreateStaffPayload(staff_member=await _staff(info.context, key), invitation_link=link)

    @mutation
    async def accept_invitation(
        self,
        info: Info,
        input: AcceptInvitationInput,  # noqa: A002 - GraphQL's name
    ) -> AcceptInvitationPayload:
        """Accept an invitation by setting a password, and be logged in."""
        context = info.context
        key = await accept_invitation(context, input.token, input.password)
        token = await open_session(context, PrincipalKind.STAFF, key, input.transport)
        return AcceptInvitationPayload(staff_member=await _staff(context, key), token=token)

    @mutation
    async def set_staff_roles(
        self,
        info: Info,
        input: SetStaffRolesInput,  # noqa: A002 - GraphQL's name
    ) -> SetStaffRolesPayload:
        """Replace somebody's roles; it takes effect with the next request."""
        info.context.require(MANAGE_STAFF)
        key = key_of("StaffMember", input.staff_id)
        await set_roles(info.context, key, [key_of("Role", role) for role in input.role_ids])
        return SetStaffRolesPayload(staff_member=await _staff(info.context, key))

    @mutation
    async def set_staff_enabled(
        self,
        info: Info,
        input: SetStaffEnabledInput,  # noqa: A002 - GraphQL's name
    ) -> SetStaffEnabledPayload:
        """Shut somebody of the staff out, whose sessions end at once, or let him in again."""
        info.context.require(MANAGE_STAFF)
        key = key_of("StaffMember", input.staff_id)
        await set_enabled(info.context, key, enabled=input.enabled)
        return SetStaffEnabledPayload(staff_member=await _staff(info.context, key))

    @mutation
    async def save_role(self, info: Info, input: SaveRoleInput) -> SaveRolePayload:  # noqa: A002 - GraphQL's name
        """Make a role, or change the one of this name for everybody who has it."""
        context = info.context
        context.require(MANAGE_STAFF)
        key = await save_role(context, input.name, input.title_zh, input.title_en, input.permissions)
        return SaveRolePayload(role=next(Role.of(r) for r in await read_roles(context.db) if r.id == key))


async def _staff(context: Context, key: UUID) -> StaffMember:
    rows = await context.db.fetch(READ_STAFF, [key])
    if not rows:
        raise NotFound("There is nobody of the staff with this id.", cure="`staff` lists them.")
    return StaffMember.of(rows[0])
