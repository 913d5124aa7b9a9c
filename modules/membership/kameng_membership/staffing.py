"""The staff: inviting, roles, disabling. Nobody gives away more than he holds, and somebody always holds all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from kameng.audit import JSON
from kameng.auth import PrincipalKind, hash_password
from kameng.db import Database, as_json
from kameng.errors import Forbidden, InvalidInput, NotFound
from kameng.graphql import Context
from kameng.ids import new_id
from kameng_membership.credentials import membership_settings
from kameng_membership.emails import normal_email
from kameng_membership.refusals import LastAdministrator, email_taken
from kameng_membership.registering import clean_name
from kameng_membership.statements import (
    ACCEPT_INVITATION,
    ADD_STAFF_ROLES,
    CLEAR_STAFF_ROLES,
    COUNT_OWNERS,
    INVITE_STAFF,
    LOCK_STAFF,
    READ_ROLES,
    SAVE_ROLE,
    SET_STAFF_STATE,
    STAFF_OF_ROLE,
    STAFF_PASSWORD,
    STAFF_PERMISSIONS,
)

STAFF_INVITATION = "staff_invitation"
"""The purpose of the link by which invited staff sets its password."""


class StoredRole(msgspec.Struct, frozen=True):
    """A role as it is kept."""

    id: UUID
    name: str
    title_zh: str
    title_en: str
    permissions: tuple[str, ...]


async def read_roles(db: Database) -> list[StoredRole]:
    """All roles, by name. One statement."""
    rows = await db.fetch(READ_ROLES)
    return [
        StoredRole(row["id"], row["name"], row["title_zh"], row["title_en"], tuple(row["permissions"]))
        for row in rows
    ]


async def invite(context: Context, email: str, name: str, roles: Sequence[UUID]) -> tuple[UUID, str]:
    """Invite somebody to the staff; whoever was invited before and has not accepted is invited anew.

    Returns:
        the staff member's key, and the link to hand over, which works once.

    Raises:
        EmailTaken: this address belongs to one of the staff.
        Forbidden: a role holds more than the inviter does.
        NotFound: there is no such role.
        InvalidInput: the address or the name is unusable.
    """
    login, name = normal_email(email), clean_name(name, "name", required=True)
    db, auth = context.db, context.kernel.auth
    async with db.transaction():
        await db.execute(LOCK_STAFF)
        key: UUID | None = await db.fetchval(INVITE_STAFF, new_id(), login, name)
        if key is None:
            raise email_taken()
        await _replace_roles(context, key, roles)
        token = await auth.one_time.issue(
            STAFF_INVITATION,
            timedelta(hours=membership_settings(context).invitation_hours),
            {"staff": str(key)},
            replace=True,
        )
        await _record(context, "membership.create_staff", key, {"roles": [str(role) for role in roles]})
    return key, f"{context.kernel.settings.public_url}/admin/invitation?token={token}"


async def accept_invitation(context: Context, token: str, password: str) -> UUID:
    """Set the first password of invited staff; returns its key.

    Raises:
        OneTimeTokenInvalid: the link has been used, is too old, or never was one.
        WeakPassword: the password would be guessed.
        NotFound: the invitation was withdrawn.
    """
    db, auth = context.db, context.kernel.auth
    key = UUID((await auth.one_time.peek(STAFF_INVITATION, token))["staff"])
    row = await db.fetchrow(STAFF_PASSWORD, key)
    auth.check_password(password, login=row["email"] if row else "")
    hashed = await hash_password(password)
    async with db.transaction():
        await auth.one_time.redeem(STAFF_INVITATION, token)
        if await db.fetchval(ACCEPT_INVITATION, key, hashed) is None:
            raise NotFound("This invitation was withdrawn.", cure="Ask for a new one.")
        await _record(context, "membership.accept_invitation", key, {})
    return key


async def set_roles(context: Context, staff: UUID, roles: Sequence[UUID]) -> None:
    """Replace somebody's roles.

    Raises:
        Forbidden: a role, or the person, holds more than whoever asks.
        NotFound: there is no such person or role.
        LastAdministrator: nobody would be left who may do everything.
    """
    async with context.db.transaction():
        await context.db.execute(LOCK_STAFF)
        await insist_on_staff(context, staff)
        await _replace_roles(context, staff, roles)
        await _insist_on_owner(context)
        await _record(context, "membership.set_staff_roles", staff, {"roles": [str(role) for role in roles]})
        await context.kernel.auth.principal_changed(PrincipalKind.STAFF, staff)


async def set_enabled(context: Context, staff: UUID, *, enabled: bool) -> None:
    """Let somebody of the staff in, or shut him out at once.

    Raises:
        Forbidden: the person holds more than whoever asks.
        NotFound: there is no such person.
        LastAdministrator: nobody would be left who may do everything.
    """
    async with context.db.transaction():
        await context.db.execute(LOCK_STAFF)
        await insist_on_staff(context, staff)
        await context.db.execute(SET_STAFF_STATE, staff, enabled)
        await _insist_on_owner(context)
        await _record(
            context, "membership.enable_staff" if enabled else "membership.disable_staff", staff, {}
        )
        if not enabled:
            await context.kernel.auth.one_time.withdraw(STAFF_INVITATION, {"staff": str(staff)})
            await context.kernel.auth.end_everything(PrincipalKind.STAFF, staff)


async def save_role(
    context: Context, name: str, title_zh: str, title_en: str, permissions: Iterable[str]
) -> UUID:
    """Make a role, or change the one of this name for everybody who has it; returns its key.

    Raises:
        Forbidden: it holds, or would hold, more than whoever asks.
        InvalidInput: a permission that no module brings, or an unusable name or title.
        LastAdministrator: nobody would be left who may do everything.
    """
    wanted = sorted(set(permissions))
    unknown = [item for item in wanted if item != "*" and item not in context.kernel.permissions]
    if unknown:
        raise InvalidInput(
            f"No enabled module brings the permission {unknown[0][:80]}.",
            cure="`permissions` lists them.",
            path=("input", "permissions"),
        )
    if not (
        name.isascii() and name.replace("-", "_").isidentifier() and name == name.lower() and len(name) <= 32
    ):
        raise InvalidInput(
            "A role's name is 1 to 32 lower-case letters, digits, - and _.",
            cure="Put what people read into the titles.",
            path=("input", "name"),
        )
    titles = [clean_name(title_zh, "titleZh", required=True), clean_name(title_en, "titleEn", required=True)]
    async with context.db.transaction():
        await context.db.execute(LOCK_STAFF)
        before = next((role for role in await read_roles(context.db) if role.name == name), None)
        _insist_on_holding(context, {*wanted, *(before.permissions if before else ())})
        key: UUID = await context.db.fetchval(SAVE_ROLE, new_id(), name, *titles, as_json(wanted))
        await _insist_on_owner(context)
        await context.kernel.audit.record(
            "membership.save_role",
            principal=context.principal,
            subject=f"role:{name}",
            details={"permissions": wanted, "before": list(before.permissions) if before else None},
            correlation_id=context.correlation_id,
            address=context.address,
        )
        for row in await context.db.fetch(STAFF_OF_ROLE, key):
            await context.kernel.auth.principal_changed(PrincipalKind.STAFF, row["staff"])
    return key


async def _replace_roles(context: Context, staff: UUID, roles: Sequence[UUID]) -> None:
    known = {role.id: role for role in await read_roles(context.db)}
    wanted = list(dict.fromkeys(roles))
    if missing := [role for role in wanted if role not in known]:
        raise NotFound(
            f"There is no role {missing[0]}.", cure="`roles` lists them.", path=("input", "roleIds")
        )
    _insist_on_holding(context, {name for role in wanted for name in known[role].permissions})
    await context.db.execute(CLEAR_STAFF_ROLES, staff)
    await context.db.execute(ADD_STAFF_ROLES, [new_id() for _ in wanted], staff, wanted)


async def insist_on_staff(context: Context, staff: UUID) -> None:
    """Insist that somebody holds no more than whoever asks.

    Raises:
        NotFound: there is nobody of the staff with this id.
        Forbidden: the person holds more.
    """
    row = await context.db.fetchrow(STAFF_PERMISSIONS, staff)
    if row is None:
        raise NotFound("There is nobody of the staff with this id.", cure="`staff` lists them.")
    _insist_on_holding(context, row["permissions"])


def _insist_on_holding(context: Context, permissions: Iterable[str]) -> None:
    beyond = sorted(name for name in permissions if not context.principal.may(name))
    if beyond:
        raise Forbidden(
            f"You do not hold {beyond[0]} yourself, so you cannot give or take it.",
            cure="Ask somebody who holds it.",
        )


async def _insist_on_owner(context: Context) -> None:
    if not await context.db.fetchval(COUNT_OWNERS):
        raise LastAdministrator(
            "After this nobody would be left who may do everything.",
            cure="Make somebody else an owner first.",
        )


async def _record(context: Context, action: str, staff: UUID, details: Mapping[str, JSON]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"staff:{staff}",
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
