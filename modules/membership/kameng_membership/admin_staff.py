"""The admin schema's part on staff: inviting, roles, disabling."""

from __future__ import annotations

import strawberry

from kameng.graphql import Connection, Info, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import key_of
from kameng_membership.admin_types import MANAGE_STAFF, Permission, Role, StaffMember, staff_member
from kameng_membership.refusals import (
    EmailTaken,
    LastAdministrator,
)
from kameng_membership.staffing import (
    invite,
    read_roles,
    save_role,
    set_enabled,
    set_roles,
)

NEWEST = Keyset("staff-newest", (("s.id", "uuid"),), descending=True)


@strawberry.type
class StaffQuery:
    """Queries on staff."""

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

    @mutation(idempotency="none")
    async def create_staff(
        self,
        info: Info,
        input: CreateStaffInput,  # noqa: A002 - GraphQL's name
    ) -> CreateStaffPayload:
        """Invite somebody to the staff; who was invited before and has not accepted gets a new link."""
        info.context.require(MANAGE_STAFF)
        roles = [key_of("Role", role) for role in input.role_ids]
        key, link = await invite(info.context, input.email, input.name, roles)
        return CreateStaffPayload(staff_member=await staff_member(info.context, key), invitation_link=link)

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
        return SetStaffRolesPayload(staff_member=await staff_member(info.context, key))

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
        return SetStaffEnabledPayload(staff_member=await staff_member(info.context, key))

    @mutation
    async def save_role(self, info: Info, input: SaveRoleInput) -> SaveRolePayload:  # noqa: A002 - GraphQL's name
        """Make a role, or change the one of this name for everybody who has it."""
        context = info.context
        context.require(MANAGE_STAFF)
        key = await save_role(context, input.name, input.title_zh, input.title_en, input.permissions)
        return SaveRolePayload(role=next(Role.of(r) for r in await read_roles(context.db) if r.id == key))
