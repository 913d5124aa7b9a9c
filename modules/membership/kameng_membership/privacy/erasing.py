"""Erasing what is kept about a member: asked for by the member, decided by the staff, and then for good."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.auth import PrincipalKind, verify_password
from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.graphql import Context
from kameng.ids import new_id
from kameng_membership.credentials import membership_settings
from kameng_membership.events import MemberErased
from kameng_membership.privacy.exporting import scope_of
from kameng_membership.privacy.statements import (
    ADD_ERASURE,
    DECIDE_ERASURE,
    END_EXPORTS_OF,
    ERASE_MEMBER,
    LATEST_ERASURE,
    LOCK_ERASURE,
)
from kameng_membership.privacy_contract import personal_data
from kameng_membership.recipients.keeping import shred_recipients
from kameng_membership.refusals import wrong_credentials
from kameng_membership.statements import LOCK_MEMBER, MEMBER_PASSWORD

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LONGEST_ANSWER = 500


class ErasureDecided(Conflict):
    """The request was decided or taken back before."""

    code = "ERASURE_DECIDED"


class MemberNotSettled(Conflict):
    """The shop and the member still owe each other something, so nothing can be erased yet."""

    code = "MEMBER_NOT_SETTLED"


class StoredErasure(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is kept."""

    id: UUID
    member: UUID
    state: str
    requested_at: datetime
    decided_at: datetime | None
    answer: str


async def latest_erasure(kernel: Kernel, member: UUID) -> StoredErasure | None:
    """The last request of a member, if there is one."""
    row = await kernel.db.fetchrow(LATEST_ERASURE, member)
    return None if row is None else stored_erasure(row)


async def request_erasure(context: Context, member: UUID, password: str) -> StoredErasure:
    """Ask for the erasure of one's data. Asking again changes nothing while a request is open.

    Raises:
        WrongCredentials: the password is wrong.
        RateLimited: too many tries.
    """
    await context.kernel.auth.limiter.check(
        "login", f"change:{context.principal.key}", membership_settings(context).logins_per_account
    )
    row = await context.db.fetchrow(MEMBER_PASSWORD, member)
    if row is None or not await verify_password(row["password_hash"], password):
        raise wrong_credentials()
    async with context.db.transaction():
        if await context.db.execute(ADD_ERASURE, new_id(), member) == "INSERT 0 1":
            await _record(context, "membership.request_erasure", member)
        found = await context.db.fetchrow(LATEST_ERASURE, member)
    return stored_erasure(found)


async def withdraw_erasure(context: Context, member: UUID) -> StoredErasure:
    """Take one's open request back.

    Raises:
        NotFound: there is none.
    """
    async with context.db.transaction():
        latest = await latest_erasure(context.kernel, member)
        if (
            latest is None
            or await context.db.execute(DECIDE_ERASURE, latest.id, "WITHDRAWN", "") != "UPDATE 1"
        ):
            raise NotFound("You have no open request.", cure="Look at the page again.")
        await _record(context, "membership.withdraw_erasure", member)
        found = await context.db.fetchrow(LATEST_ERASURE, member)
    return stored_erasure(found)


async def refuse_erasure(context: Context, request: UUID, answer: str) -> StoredErasure:
    """Refuse a request, and tell the member why.

    Raises:
        InvalidInput: there is no reason.
        NotFound: there is no such request.
        ErasureDecided: it was decided before.
    """
    why = answer.strip()
    if not 1 <= len(why) <= LONGEST_ANSWER or "\0" in why:
        raise InvalidInput(
            "The member is told why.",
            cure=f"Write 1 to {LONGEST_ANSWER} characters.",
            path=("input", "answer"),
        )
    async with context.db.transaction():
        found = await _open(context, request)
        await context.db.execute(DECIDE_ERASURE, request, "REFUSED", why)
        await _record(context, "membership.refuse_erasure", found.member)
        row = await context.db.fetchrow(LOCK_ERASURE, request)
    return stored_erasure(row)


async def erase_member(context: Context, request: UUID) -> StoredErasure:
    """Do what a request asks for. It cannot be undone.

    The account is closed; name and address are overwritten, saved recipients and copies of data destroyed with their keys, and
    each module erases what it need not keep. Orders and postings stay, for the books, with a key that leads to nobody.

    Raises:
        NotFound: there is no such request.
        ErasureDecided: it was decided before.
        MemberNotSettled: money or goods are still owed.
    """
    kernel = context.kernel
    async with context.db.transaction():
        found = await _open(context, request)
        await context.db.fetchrow(LOCK_MEMBER, found.member)
        parts = personal_data(kernel)
        for part in parts:
            if part.unsettled and (why := await part.unsettled(kernel, found.member)):
                raise MemberNotSettled(why, cure="Settle it first, or refuse the request.")
        for part in parts:
            if part.erase:
                await part.erase(kernel, found.member)
        await shred_recipients(kernel, found.member)
        for row in await context.db.fetch(END_EXPORTS_OF, found.member):
            await kernel.vault.shred(scope_of(UUID(int=row["id"].int)))
        await context.db.execute(ERASE_MEMBER, found.member)
        await kernel.auth.end_everything(PrincipalKind.MEMBER, found.member)
        await context.db.execute(DECIDE_ERASURE, request, "DONE", "")
        await _record(context, "membership.erase_member", found.member)
        await kernel.events.emit(MemberErased(member=str(found.member)))
        row = await context.db.fetchrow(LOCK_ERASURE, request)
    return stored_erasure(row)


def stored_erasure(row: Any) -> StoredErasure:
    """A row of ``membership_erasure_request``."""
    return StoredErasure(**{name: row[name] for name in StoredErasure.__struct_fields__})


async def _open(context: Context, request: UUID) -> StoredErasure:
    row = await context.db.fetchrow(LOCK_ERASURE, request)
    if row is None:
        raise NotFound("There is no such request.", cure="`erasureRequests` lists them.")
    if row["state"] != "OPEN":
        raise ErasureDecided("This request was decided or taken back before.", cure="Look at the list again.")
    return stored_erasure(row)


async def _record(context: Context, action: str, member: UUID) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"member:{member}",
        correlation_id=context.correlation_id,
        address=context.address,
    )
