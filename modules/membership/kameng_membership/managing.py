"""What staff does to members: levels and blocking, each recorded."""

from __future__ import annotations

from uuid import UUID

from kameng.auth import PrincipalKind
from kameng.errors import InvalidInput, NotFound
from kameng.graphql import Context
from kameng_catalog.contract import PriceTiers
from kameng_membership.events import MemberBlocked
from kameng_membership.levels import read_levels
from kameng_membership.statements import LOCK_MEMBER, SET_MEMBER_LEVEL, SET_MEMBER_STATE
from kameng_membership.tiers import LevelTiers


async def set_level(context: Context, member: UUID, code: str) -> None:
    """Put a member on a level, and so on its prices.

    Raises:
        NotFound: there is no such member or level.
    """
    level = next((level for level in await read_levels(context.db) if level.code == code), None)
    if level is None:
        raise NotFound(
            f"There is no level {code[:40]!r}.", cure="`levels` lists them.", path=("input", "level")
        )
    async with context.db.transaction() as scope:
        before = await context.db.fetchrow(LOCK_MEMBER, member)
        if before is None:
            raise _no_member()
        await context.db.execute(SET_MEMBER_LEVEL, member, level.id)
        await _record(
            context, "membership.set_member_level", member, {"before": before["tier"], "level": code}
        )
        tiers = context.service(PriceTiers)
        if isinstance(tiers, LevelTiers):
            scope.after_commit(lambda: tiers.forget(member))


async def block(context: Context, member: UUID, reason: str) -> None:
    """Shut a member out: no purchase, no log-in, and all of its sessions end at once.

    Raises:
        NotFound: there is no such member.
        InvalidInput: no reason was given.
    """
    why = reason.strip()
    if not 1 <= len(why) <= 500:
        raise InvalidInput(
            "Blocking needs a reason.", cure="Write 1 to 500 characters.", path=("input", "reason")
        )
    async with context.db.transaction():
        before = await context.db.fetchrow(LOCK_MEMBER, member)
        if before is None or before["state"] == "erased":
            raise _no_member()
        await context.db.execute(SET_MEMBER_STATE, member, "blocked")
        await context.kernel.auth.end_everything(PrincipalKind.MEMBER, member)
        if before["state"] != "blocked":
            await _record(context, "membership.block_member", member, {"reason": why})
            await context.kernel.events.emit(MemberBlocked(member=str(member)))


async def unblock(context: Context, member: UUID) -> None:
    """Let a blocked member in again.

    Raises:
        NotFound: there is no such member.
    """
    async with context.db.transaction():
        before = await context.db.fetchrow(LOCK_MEMBER, member)
        if before is None or before["state"] == "erased":
            raise _no_member()
        await context.db.execute(SET_MEMBER_STATE, member, "active")
        if before["state"] != "active":
            await _record(context, "membership.unblock_member", member, {})
        await context.kernel.auth.principal_changed(PrincipalKind.MEMBER, member)


def _no_member() -> NotFound:
    return NotFound("There is no such member.", cure="`members` lists them.", path=("input", "memberId"))


async def _record(context: Context, action: str, member: UUID, details: dict[str, str]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"member:{member}",
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
