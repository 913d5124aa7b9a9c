"""A new password for a member who has forgotten the old one, by a link that is mailed and works once.

Whoever asks learns nothing: the answer, its time and the limits are the same whether or not somebody has this address. So the
request only writes the address down, sealed, and a worker looks whose it is.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from kameng.audit import JSON
from kameng.auth import Principal, PrincipalKind, hash_password
from kameng.auth.one_time import PASSWORD_RESET
from kameng.errors import NotFound
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.module import NotificationKind, Task
from kameng.notify import Addressee, Notice, Notifications
from kameng_membership.credentials import membership_settings
from kameng_membership.emails import normal_email
from kameng_membership.refusals import MailNotSetUp
from kameng_membership.settings import MembershipSettings
from kameng_membership.statements import FIND_MEMBER, MEMBER_PASSWORD, READ_MEMBERS, SET_MEMBER_PASSWORD

if TYPE_CHECKING:
    from kameng.kernel import Kernel

RESET = NotificationKind(
    name="password_reset",
    title_en="A link to set a new password",
    title_zh="重置密码链接",
    templates="kameng_membership:notifications",
    optional=False,
)
SCOPE = "membership.password_resets"

log = structlog.get_logger(__name__)


async def request_reset(context: Context, email: str) -> None:
    """Have a link mailed to whoever has this address, if anybody has.

    Raises:
        MailNotSetUp: this shop sends no mail.
        InvalidInput: it is no address.
        RateLimited: too many requests for this address, or from this network address.
        UnavailableError: requests cannot be counted at the moment, so none is taken.
    """
    kernel, settings = context.kernel, membership_settings(context)
    notifications = kernel.services.find(Notifications)
    if notifications is None or not notifications.reaches("email"):
        raise MailNotSetUp("This shop sends no mail.", cure="Ask its support.")
    login = normal_email(email)
    limiter = kernel.auth.limiter
    if context.address:
        await limiter.check("password_reset", f"address:{context.address}", settings.resets_per_address)
    # Counted by the address as it was asked for, be it anybody's or not.
    await limiter.check("password_reset", f"member:{login}", settings.resets_per_account)
    request = new_id()
    async with context.db.transaction():
        key = await kernel.vault.current_key(SCOPE)
        [sealed] = await kernel.vault.seal_many(key, [(login.encode(), request.bytes)])
        await kernel.tasks.enqueue(
            "membership.mail_password_reset",
            key=str(request),
            request=str(request),
            data_key=str(key.id),
            sealed=b64encode(sealed).decode(),
        )


class _ToldBefore(Exception):
    """The link of this request is on its way already."""


async def mail_reset(kernel: Kernel, *, request: str, data_key: str, sealed: str) -> None:
    """The task: mail the link, if somebody active has the address. Once, however often it runs."""
    notifications = kernel.services.find(Notifications)
    if notifications is None:
        return
    key = UUID(request)
    login = (await kernel.vault.open(UUID(data_key), b64decode(sealed), key.bytes)).decode()
    row = await kernel.db.fetchrow(FIND_MEMBER, login)
    if row is None or not row["active"]:
        return
    [member] = await kernel.db.fetch(READ_MEMBERS, [row["id"]])
    settings = kernel.settings.section("membership", MembershipSettings)
    page = settings.reset_page or f"{kernel.settings.public_url}/reset-password"
    try:
        async with kernel.db.transaction():
            token = await kernel.auth.one_time.issue(
                PASSWORD_RESET,
                timedelta(minutes=settings.reset_minutes),
                {"member": str(member["id"])},
                replace=True,
            )
            to = Addressee(
                addresses={"email": login},
                locale=member["locale"],
                kind=PrincipalKind.MEMBER,
                id=member["id"],
            )
            link = f"{page}{'&' if '?' in page else '?'}token={token}"
            values: dict[str, JSON] = {"url": link, "minutes": settings.reset_minutes}
            notice = Notice(kind="membership.password_reset", key=request, to=to, values=values)
            if not await notifications.tell([notice]):
                raise _ToldBefore
    except _ToldBefore:
        log.info("a link to set a new password was mailed before", request=request)


async def reset_password(context: Context, token: str, password: str) -> UUID:
    """Set a new password by the mailed link, and end all sessions and API tokens; returns the member's key.

    Raises:
        OneTimeTokenInvalid: the link has been used, is too old, was replaced, or never was one.
        WeakPassword: the password would be guessed; the link stays good.
        RateLimited: too many tries from this network address.
        NotFound: the account is gone.
    """
    kernel, auth = context.kernel, context.kernel.auth
    if context.address:
        await auth.limiter.check(
            "one_time_token", context.address, membership_settings(context).resets_tried_per_address
        )
    key = UUID((await auth.one_time.peek(PASSWORD_RESET, token))["member"])
    row = await context.db.fetchrow(MEMBER_PASSWORD, key)
    auth.check_password(password, login=row["email"] if row else "")
    hashed = await hash_password(password)
    async with context.db.transaction():
        await auth.one_time.redeem(PASSWORD_RESET, token)
        row = await context.db.fetchrow(MEMBER_PASSWORD, key)
        if (
            row is None
            or await context.db.execute(SET_MEMBER_PASSWORD, key, row["password_hash"], hashed) != "UPDATE 1"
        ):
            raise NotFound("This account is gone.", cure="Ask the shop's support.")
        await auth.end_everything(PrincipalKind.MEMBER, key)
        await kernel.audit.record(
            "membership.reset_password",
            principal=Principal(kind=PrincipalKind.MEMBER, id=key),
            subject=f"member:{key}",
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return key


MAIL_RESET = Task(name="mail_password_reset", call=mail_reset)
