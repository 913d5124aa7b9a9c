"""Becoming a member."""

from __future__ import annotations

import unicodedata
from uuid import UUID

from kameng.auth import hash_password
from kameng.errors import Forbidden, InvalidInput
from kameng.graphql import Context
from kameng.ids import new_id
from kameng_catalog.contract import RETAIL
from kameng_membership.credentials import membership_settings
from kameng_membership.emails import normal_email
from kameng_membership.events import MemberRegistered
from kameng_membership.refusals import email_taken
from kameng_membership.statements import ADD_MEMBER, FIND_MEMBER

LONGEST_NAME = 100
"""Characters of a name."""


async def register(context: Context, email: str, password: str, display_name: str) -> UUID:
    """Make a member of a visitor, at the level ``retail``; returns its key. Belongs inside no transaction.

    Raises:
        EmailTaken: somebody has this address, perhaps since this moment.
        WeakPassword: the password would be guessed.
        InvalidInput: the address or the name is unusable.
        RateLimited: too many registrations from this network address.
        Forbidden: the shop takes no new members.
    """
    settings = membership_settings(context)
    if not settings.registration:
        raise Forbidden("This shop takes no new members.", cure="Ask its operator for an account.")
    login, name = normal_email(email), clean_name(display_name, "displayName")
    context.kernel.auth.check_password(password, login=login)
    if context.address:
        await context.kernel.auth.limiter.check(
            "register", context.address, settings.registrations_per_address
        )
    if await context.db.fetchrow(FIND_MEMBER, login) is not None:
        raise email_taken()  # found out before the expensive hash; the insert decides
    hashed = await hash_password(password)
    async with context.db.transaction():
        key: UUID | None = await context.db.fetchval(
            ADD_MEMBER, new_id(), login, hashed, name, context.locale, RETAIL
        )
        if key is None:
            raise email_taken()
        await context.kernel.events.emit(MemberRegistered(member=str(key)))
    return key


def clean_name(text: str, field: str, *, required: bool = False) -> str:
    """A person's name as it is kept: composed characters, single spaces.

    Args:
        text: as typed.
        field: the input's field, for the error.
        required: whether there must be one.

    Raises:
        InvalidInput: it is too long, holds control characters, or is missing.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if (
        len(name) > LONGEST_NAME
        or (required and not name)
        or any(unicodedata.category(c) == "Cc" for c in name)
    ):
        raise InvalidInput(
            "This cannot be kept as a name.",
            cure=f"Write {1 if required else 0} to {LONGEST_NAME} plain characters.",
            path=("input", field),
        )
    return name
