"""The first administrator: by a link that works once, and only while there is nobody on the staff."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.auth import FIRST_ADMINISTRATOR, VISITOR, hash_password
from kameng.graphql import Context
from kameng.ids import new_id
from kameng_membership.emails import normal_email
from kameng_membership.refusals import AlreadySetUp
from kameng_membership.registering import clean_name
from kameng_membership.settings import MembershipSettings
from kameng_membership.statements import ADD_FOUNDER, STAFF_EXIST

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class FirstAdministratorLinks:
    """Fulfils `kameng.auth.first_administrator.FirstAdministrator`.

    Args:
        kernel: whose deployment it is.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def link(self) -> str | None:
        """See `kameng.auth.first_administrator.FirstAdministrator.link`."""
        kernel = self._kernel
        if await kernel.db.fetchval(STAFF_EXIST):
            return None
        settings = kernel.settings.section("membership", MembershipSettings)
        token = await kernel.auth.one_time.issue(
            FIRST_ADMINISTRATOR, timedelta(hours=settings.first_administrator_hours), {}, replace=True
        )
        return f"{kernel.settings.public_url}/admin/setup?token={token}"


async def create_first_administrator(
    context: Context, token: str, email: str, password: str, name: str
) -> UUID:
    """Make the first administrator, with the role ``owner``; returns its key. Of several who try one wins.

    Raises:
        OneTimeTokenInvalid: the link has been used, is too old, or never was one.
        AlreadySetUp: there is an administrator.
        WeakPassword: the password would be guessed.
        InvalidInput: the address or the name is unusable.
    """
    login, name = normal_email(email), clean_name(name, "name", required=True)
    auth, db = context.kernel.auth, context.db
    auth.check_password(password, login=login)
    await auth.one_time.peek(FIRST_ADMINISTRATOR, token)  # nobody without a link makes us hash
    hashed = await hash_password(password)
    async with db.transaction():
        await auth.one_time.redeem(FIRST_ADMINISTRATOR, token)
        key: UUID | None = await db.fetchval(ADD_FOUNDER, new_id(), login, hashed, name, new_id())
        if key is None:
            raise AlreadySetUp("There is an administrator already.", cure="Log in, or ask for an invitation.")
        await context.kernel.audit.record(
            "membership.create_first_administrator",
            principal=VISITOR,
            subject=f"staff:{key}",
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return key
