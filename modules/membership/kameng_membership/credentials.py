"""Proving who somebody is by e-mail address and password; the same for members and staff.

Whoever tries learns nothing from a failure: an unknown address, a wrong password and an address that is none
get one answer, and take the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kameng.auth import PrincipalKind, hash_password, needs_rehash, verify_nobody, verify_password
from kameng.db import Statement
from kameng.errors import Conflict, InvalidInput
from kameng.graphql import Context
from kameng_membership.emails import normal_email
from kameng_membership.refusals import wrong_credentials
from kameng_membership.settings import MembershipSettings
from kameng_membership.statements import (
    FIND_MEMBER,
    FIND_STAFF,
    MEMBER_PASSWORD,
    SET_MEMBER_PASSWORD,
    SET_STAFF_PASSWORD,
    STAFF_PASSWORD,
)


@dataclass(frozen=True, slots=True)
class Door:
    """Where a kind of principal comes in.

    Attributes:
        kind: which kind.
        find: the statement that finds one by address.
        password: the statement that reads one's address and password hash.
        set_password: the statement that replaces one's password hash, if it is still the one given.
    """

    kind: PrincipalKind
    find: Statement
    password: Statement
    set_password: Statement


MEMBERS = Door(PrincipalKind.MEMBER, FIND_MEMBER, MEMBER_PASSWORD, SET_MEMBER_PASSWORD)
STAFF = Door(PrincipalKind.STAFF, FIND_STAFF, STAFF_PASSWORD, SET_STAFF_PASSWORD)


def membership_settings(context: Context) -> MembershipSettings:
    """The section ``[membership]``."""
    return context.kernel.settings.section("membership", MembershipSettings)


async def prove(context: Context, door: Door, email: str, password: str) -> Mapping[str, Any]:
    """The row of whoever has this address and this password.

    Raises:
        WrongCredentials: nobody has.
        RateLimited: too many tries on this account or from this network address.
        UnavailableError: tries cannot be counted at the moment, so none is allowed.
    """
    settings, limiter = membership_settings(context), context.kernel.auth.limiter
    if context.address:
        await limiter.check("login", f"address:{context.address}", settings.logins_per_address)
    try:
        login = normal_email(email)
    except InvalidInput:
        await verify_nobody(password)
        raise wrong_credentials() from None
    account = f"{door.kind.value}:{login}"
    await limiter.check("login", account, settings.logins_per_account)
    row = await context.db.fetchrow(door.find, login)
    if row is None or row["password_hash"] is None:
        await verify_nobody(password)
        raise wrong_credentials()
    if not await verify_password(row["password_hash"], password):
        raise wrong_credentials()
    await limiter.reset("login", account, settings.logins_per_account)
    if needs_rehash(row["password_hash"]):
        await context.db.execute(
            door.set_password, row["id"], row["password_hash"], await hash_password(password)
        )
    found: Mapping[str, Any] = row
    return found


async def confirm_password(context: Context, door: Door, password: str) -> UUID:
    """Insist that whoever asks knows his own password; returns the principal's key.

    Raises:
        WrongCredentials: it is wrong.
        RateLimited: too many tries.
    """
    key = context.principal.require_kind(door.kind)
    settings, auth = membership_settings(context), context.kernel.auth
    limit = f"change:{context.principal.key}"
    await auth.limiter.check("login", limit, settings.logins_per_account)
    row = await context.db.fetchrow(door.password, key)
    if (
        row is None
        or row["password_hash"] is None
        or not await verify_password(row["password_hash"], password)
    ):
        raise wrong_credentials()
    await auth.limiter.reset("login", limit, settings.logins_per_account)
    return key


async def change_password(context: Context, door: Door, current: str, new: str) -> UUID:
    """Replace one's own password and end all of one's other sessions; returns the principal's key.

    Raises:
        WrongCredentials: the current password is wrong.
        WeakPassword: the new one would be guessed.
        RateLimited: too many tries.
        Conflict: it was changed by another request at the same moment.
    """
    key = context.principal.require_kind(door.kind)
    settings, auth = membership_settings(context), context.kernel.auth
    await auth.limiter.check("login", f"change:{context.principal.key}", settings.logins_per_account)
    row = await context.db.fetchrow(door.password, key)
    if row is None or row["password_hash"] is None:
        raise wrong_credentials()
    if not await verify_password(row["password_hash"], current):
        raise wrong_credentials()
    auth.check_password(new, login=row["email"])
    hashed = await hash_password(new)
    async with context.db.transaction():
        if await context.db.execute(door.set_password, key, row["password_hash"], hashed) != "UPDATE 1":
            raise Conflict("The password was changed at the same moment.", cure="Log in with the new one.")
        await auth.sessions.revoke_all(door.kind, key, keep=context.principal.session)
        if door.kind is PrincipalKind.STAFF:
            await context.kernel.audit.record(
                "membership.change_password",
                principal=context.principal,
                subject=f"staff:{key}",
                correlation_id=context.correlation_id,
                address=context.address,
            )
    return key
