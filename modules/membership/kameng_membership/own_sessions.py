"""A member's own sessions in the shop schema: where one is logged in, and logging out from afar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind, SessionInfo
from kameng.errors import NotFound
from kameng.graphql import Context, Info, Node, mutation, payload
from kameng.ids import global_id, key_of
from kameng_membership.devices import device_of


@strawberry.type(description="A place where you are logged in.")
class Session(Node):
    """A place where somebody is logged in."""

    device: str = strawberry.field(
        description="Browser and system as it called itself, such as Chrome · Android; empty if it said nothing known."
    )
    address: str = strawberry.field(description="The network address that it was opened from.")
    opened_at: datetime = strawberry.field(description="When you logged in there.")
    last_seen_at: datetime = strawberry.field(description="When it was last used, to the minute.")
    expires_at: datetime = strawberry.field(description="When it ends at the latest.")
    current: bool = strawberry.field(description="Whether it is the one that asks.")


@strawberry.type
class SessionsQuery:
    """Queries on one's own sessions."""

    @strawberry.field(description="Where you are logged in, the latest log-in first, 100 at most.")
    async def sessions(self, info: Info) -> list[Session]:
        """The viewer's live sessions."""
        return await sessions_of(info.context)


@payload()
class EndSessionPayload:
    """The sessions that are left, or why none was ended."""

    sessions: list[Session] = strawberry.field(default_factory=list)


@payload()
class EndOtherSessionsPayload:
    """How many sessions were ended, and the one that is left."""

    ended: int = 0
    sessions: list[Session] = strawberry.field(default_factory=list)


@strawberry.type
class SessionsMutation:
    """Mutations on one's own sessions."""

    @mutation(idempotency="none")
    async def end_session(self, info: Info, session_id: strawberry.ID) -> EndSessionPayload:
        """Log out somewhere else: that session ends at once. Your own is ended by logOut."""
        context = info.context
        context.principal.require_kind(PrincipalKind.MEMBER)
        key = key_of("Session", session_id)
        if key == context.principal.session:
            raise NotFound("This is the session that you use.", cure="Use logOut.", path=("sessionId",))
        async with context.db.transaction():
            if not await context.kernel.auth.sessions.revoke(key, owner=context.principal):
                raise NotFound(
                    "There is no such session of yours, or it has ended.",
                    cure="Look at the list again.",
                    path=("sessionId",),
                )
            await _record(context, "membership.end_session", {"session": str(key)})
        return EndSessionPayload(sessions=await sessions_of(context))

    @mutation(idempotency="none")
    async def end_other_sessions(self, info: Info) -> EndOtherSessionsPayload:
        """Log out everywhere else: all of your sessions end but the one that asks."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        async with context.db.transaction():
            ended = await context.kernel.auth.sessions.revoke_all(
                PrincipalKind.MEMBER, member, keep=context.principal.session
            )
            await _record(context, "membership.end_other_sessions", {"ended": ended})
        return EndOtherSessionsPayload(ended=ended, sessions=await sessions_of(context))


async def sessions_of(context: Context) -> list[Session]:
    """The live sessions of the member who asks. One statement."""
    principal = context.principal
    member = principal.require_kind(PrincipalKind.MEMBER)
    found = await context.kernel.auth.sessions.list(PrincipalKind.MEMBER, member)
    return [_session(info, principal.session) for info in found]


async def session_nodes(context: Context, keys: Sequence[UUID]) -> list[Session | None]:
    """Sessions for ``node(id:)``: everybody sees only his own."""
    principal = context.principal
    if principal.kind is not PrincipalKind.MEMBER or principal.scopes is not None:
        return [None] * len(keys)
    own = {session.id: session for session in await sessions_of(context)}
    return [own.get(strawberry.ID(global_id("Session", key))) for key in keys]


def _session(info: SessionInfo, current: UUID | None) -> Session:
    return Session(
        id=strawberry.ID(global_id("Session", info.id)),
        device=device_of(info.user_agent),
        address=info.address,
        opened_at=info.created_at,
        last_seen_at=info.last_seen_at,
        expires_at=info.expires_at,
        current=info.id == current,
    )


async def _record(context: Context, action: str, details: dict[str, str | int]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=context.principal.key,
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
