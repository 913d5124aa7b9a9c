"""Coming in and going out: opening a session after a proof, and ending it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import cast
from uuid import UUID

import msgspec
import strawberry

from kameng.auth import VISITOR, Principal, PrincipalDirectory, PrincipalKind, SchemaName
from kameng.errors import Unauthenticated
from kameng.graphql import Context


@strawberry.enum(description="How the client keeps its session.")
class SessionTransport(Enum):
    """How the client keeps its session."""

    COOKIE = strawberry.enum_value("COOKIE", description="In a cookie that no script can read: for browsers.")
    TOKEN = strawberry.enum_value(
        "TOKEN", description="As a bearer token in the payload: for programs and apps."
    )


async def open_session(
    context: Context, kind: PrincipalKind, key: UUID, transport: SessionTransport
) -> str | None:
    """Open a session for whoever has just proved who it is; the one that the client came with ends.

    The rest of the document runs as the new principal.

    Returns:
        the token, if the client asked for it; otherwise it goes into the answer's cookie.
    """
    auth = context.kernel.auth
    opened = await auth.sessions.open(
        kind,
        key,
        user_agent=context.user_agent,
        address=context.address,
        replaces=context.principal.session,
    )
    permissions = await context.service(PrincipalDirectory).permissions(kind, key)
    context.principal = Principal(
        kind=kind, id=key, permissions=permissions or frozenset(), session=opened.id
    )
    if transport is SessionTransport.TOKEN:
        return opened.token
    cookie = auth.cookie(cast("SchemaName", context.schema))
    context.cookies.append(cookie.header(opened.token, max_age=auth.sessions.lifetime_seconds(kind)))
    return None


async def renew_session(context: Context, transport: SessionTransport) -> str | None:
    """Give the session that the client came with a new token, now that it has proved once more who it is.

    Returns:
        the token, if the client asked for it; otherwise it goes into the answer's cookie.

    Raises:
        Unauthenticated: it has ended, or the request came with an API token.
    """
    auth, principal = context.kernel.auth, context.principal
    if principal.session is None:
        raise Unauthenticated("This needs a session.", cure="Log in.")
    opened = await auth.sessions.rotate(principal.session, stepped_up=True)
    context.principal = msgspec.structs.replace(principal, session=opened.id, step_up_at=datetime.now(UTC))
    if transport is SessionTransport.TOKEN:
        return opened.token
    cookie = auth.cookie(cast("SchemaName", context.schema))
    context.cookies.append(
        cookie.header(opened.token, max_age=auth.sessions.lifetime_seconds(principal.kind))
    )
    return None


async def end_session(context: Context) -> bool:
    """End the session that the client came with, if any, and make the browser forget it; whether there was one."""
    auth, principal = context.kernel.auth, context.principal
    ended = principal.session is not None and await auth.sessions.revoke(principal.session, owner=principal)
    context.cookies.append(auth.cookie(cast("SchemaName", context.schema)).header(None))
    context.principal = VISITOR
    return ended
