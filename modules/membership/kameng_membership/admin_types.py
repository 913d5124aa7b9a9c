"""GraphQL types of the admin schema: members as staff sees them, staff and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.auth import PrincipalKind
from kameng.errors import NotFound
from kameng.graphql import Context, Info, Node
from kameng.ids import global_id
from kameng.module import Permission as DeclaredPermission
from kameng_membership import types
from kameng_membership.staffing import StoredRole, read_roles
from kameng_membership.statements import READ_STAFF
from kameng_membership.types import member_rows

READ_MEMBERS = "membership.read_members"
"""The permission to see members."""

MANAGE_MEMBERS = "membership.manage_members"
"""The permission to change members' levels and to block them."""

MANAGE_STAFF = "membership.manage_staff"
"""The permission to invite and disable staff and to change roles."""


@strawberry.enum(description="Whether a member may come in.")
class MemberState(Enum):
    """Whether a member may come in."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    ERASED = "erased"


@strawberry.type(name="Member", description="Somebody who buys here.")
class ManagedMember(types.Member):
    """A member as staff sees it."""

    state: MemberState


@strawberry.enum(description="Where somebody of the staff stands.")
class StaffState(Enum):
    """Where somebody of the staff stands."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


@strawberry.type(description="Something that only some of the staff may do.")
class Permission:
    """A permission that a module brings."""

    declared: strawberry.Private[DeclaredPermission]
    name: str

    @strawberry.field(description="The module that brings it.")
    def module(self) -> str:
        """The module."""
        return self.name.partition(".")[0]

    @strawberry.field(description="What it allows, in the language of the request.")
    def title(self, info: Info) -> str:
        """What it allows."""
        chinese = info.context.locale.startswith("zh")
        return self.declared.title_zh if chinese else self.declared.title_en


@strawberry.type(description="A set of permissions with a name.")
class Role(Node):
    """A role."""

    stored: strawberry.Private[StoredRole]
    name: str
    permissions: list[str] = strawberry.field(description="Names of permissions; * is all of them.")

    @strawberry.field(description="Its name in Chinese.")
    def title_zh(self) -> str:
        """Its name in Chinese."""
        return self.stored.title_zh

    @strawberry.field(description="Its name in English.")
    def title_en(self) -> str:
        """Its name in English."""
        return self.stored.title_en

    @strawberry.field(description="Its name for people, in the language of the request.")
    def title(self, info: Info) -> str:
        """Its name for people."""
        return self.stored.title_zh if info.context.locale.startswith("zh") else self.stored.title_en

    @classmethod
    def of(cls, role: StoredRole) -> Role:
        """A stored role as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("Role", role.id)),
            stored=role,
            name=role.name,
            permissions=list(role.permissions),
        )


@strawberry.type(description="Somebody who runs the shop.")
class StaffMember(Node):
    """Somebody who runs the shop."""

    key: strawberry.Private[UUID]
    role_ids: strawberry.Private[Sequence[UUID]]
    email: str
    name: str
    state: StaffState
    created_at: datetime

    @strawberry.field(description="The roles, by name.")
    async def roles(self, info: Info) -> list[Role]:
        """The roles."""
        return sorted(await _roles_of(info.context, self.role_ids), key=lambda role: role.name)

    @strawberry.field(description="All that the roles allow; empty unless the person is active.")
    async def permissions(self, info: Info) -> list[str]:
        """All that the roles allow."""
        if self.state is not StaffState.ACTIVE:
            return []
        roles = await _roles_of(info.context, self.role_ids)
        return sorted({name for role in roles for name in role.permissions})

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> StaffMember:
        """Stored staff as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("StaffMember", row["id"])),
            key=row["id"],
            role_ids=row["roles"],
            email=row["email"],
            name=row["name"],
            state=StaffState(row["state"]),
            created_at=row["created_at"],
        )


async def staff_member(context: Context, key: UUID) -> StaffMember:
    """Somebody of the staff by key.

    Raises:
        NotFound: there is nobody.
    """
    rows = await context.db.fetch(READ_STAFF, [key])
    if not rows:
        raise NotFound("There is nobody of the staff with this id.", cure="`staff` lists them.")
    return StaffMember.of(rows[0])


def managed_member(row: Mapping[str, Any]) -> ManagedMember:
    """A stored member as staff sees it."""
    return ManagedMember(
        id=strawberry.ID(global_id("Member", row["id"])),
        level_id=row["level"],
        email=row["email"],
        display_name=row["display_name"],
        locale=row["locale"],
        created_at=row["created_at"],
        state=MemberState(row["state"]),
    )


async def managed_member_nodes(context: Context, keys: Sequence[UUID]) -> list[ManagedMember | None]:
    """Members for ``node(id:)``; None for all without the permission to see them."""
    if not context.principal.may(READ_MEMBERS):
        return [None] * len(keys)
    return [managed_member(row) if row else None for row in await member_rows(context, keys)]


async def staff_nodes(context: Context, keys: Sequence[UUID]) -> list[StaffMember | None]:
    """Staff for ``node(id:)``: oneself, and everybody for who manages staff."""
    principal = context.principal
    if not principal.may(MANAGE_STAFF):
        keys_seen = [key for key in keys if principal.kind is PrincipalKind.STAFF and key == principal.id]
    else:
        keys_seen = list(keys)
    found = {row["id"]: StaffMember.of(row) for row in await context.db.fetch(READ_STAFF, keys_seen)}
    return [found.get(key) for key in keys]


async def role_nodes(context: Context, keys: Sequence[UUID]) -> list[Role | None]:
    """Roles for ``node(id:)``; None for all without the permission to manage staff."""
    if not context.principal.may(MANAGE_STAFF):
        return [None] * len(keys)
    return await _roles(context, keys)


_ROLES = object()


async def _roles(context: Context, keys: Sequence[UUID]) -> list[Role | None]:
    roles = {role.id: Role.of(role) for role in await read_roles(context.db)}
    return [roles.get(key) for key in keys]


async def _roles_of(context: Context, keys: Sequence[UUID]) -> list[Role]:
    return [role for role in await context.loader(_ROLES, _role_loader).load_many(keys) if role]


def _role_loader(context: Context) -> DataLoader[UUID, Role | None]:
    async def load(keys: list[UUID]) -> list[Role | None]:
        return await _roles(context, keys)

    return DataLoader(load_fn=load)
