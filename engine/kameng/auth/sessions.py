"""Sessions: from a log-in to its end.

A session's token is 256 random bits, of which the database keeps the SHA-256. A new token is made at each
log-in and, by `Sessions.rotate`, whenever the session gains rights (a second factor), so that a token planted
or seen before is worth nothing after. A log-in that still waits for its second factor has no session: keep it
in a one-time token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec

from kameng.auth import statements
from kameng.auth.principal import Principal, PrincipalKind
from kameng.auth.remembered import Known, Remembered
from kameng.auth.revocation import Revocations
from kameng.auth.tokens import digest, is_session_token, new_session_token
from kameng.db import Database
from kameng.errors import Unauthenticated
from kameng.ids import new_id
from kameng.settings import AuthSettings

Permissions = Callable[[PrincipalKind, UUID], Awaitable[frozenset[str] | None]]
"""What a principal may do; None if it is gone or disabled."""


class OpenedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that has just got its token; the only place where the token can be read.

    Attributes:
        id: the session.
        token: what goes into the cookie, or to a client that sends it as a bearer token.
        expires_at: when it ends at the latest.
    """

    id: UUID
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"OpenedSession(id={self.id!r}, expires_at={self.expires_at!r})"


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A live session as its owner sees it in a list.

    Attributes:
        id: the session.
        created_at: when it was opened, or last got a new token.
        last_seen_at: when it was last used, to the minute.
        expires_at: when it ends at the latest.
        user_agent, address: as they were when it was opened.
        step_up_at: when it last showed a second factor.
    """

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str
    step_up_at: datetime | None


class Sessions:
    """The sessions of a deployment.

    Args:
        db: where they are kept.
        settings: how long they last.
        permissions: asked for what a session's principal may do.
        remembered: what this process knows already.
        revocations: tells the other processes.
    """

    def __init__(
        self,
        db: Database,
        settings: AuthSettings,
        permissions: Permissions,
        remembered: Remembered,
        revocations: Revocations,
    ) -> None:
        self._db = db
        self._settings = settings
        self._permissions = permissions
        self._remembered = remembered
        self._revocations = revocations
        self._idle = (settings.session_idle_minutes, settings.staff_idle_minutes)

    def lifetime_seconds(self, kind: PrincipalKind) -> int:
        """How long a session lasts at most; also how long its cookie should."""
        staff = kind is PrincipalKind.STAFF
        hours = self._settings.staff_lifetime_hours if staff else self._settings.session_lifetime_hours
        return hours * 3600

    async def open(
        self,
        kind: PrincipalKind,
        principal_id: UUID,
        *,
        user_agent: str = "",
        address: str = "",
        stepped_up: bool = False,
        replaces: UUID | None = None,
    ) -> OpenedSession:
        """Open a session for somebody who has just proved who it is.

        Args:
            kind, principal_id: who.
            user_agent, address: where from, for the owner's list; cut to 400 and 64 characters.
            stepped_up: whether a second factor was part of the proof.
            replaces: the session that the client had before; it ends.
        """
        token, session = new_session_token(), new_id()
        async with self._db.transaction():
            expires_at = await self._db.fetchval(
                statements.SESSION_OPEN,
                session,
                digest(token),
                kind.value,
                principal_id,
                self.lifetime_seconds(kind) // 3600,
                _clean(user_agent)[:400],
                _clean(address)[:64],
                stepped_up,
            )
            if replaces is not None:
                await self.revoke(replaces)
        return OpenedSession(id=session, token=token, expires_at=expires_at)

    async def find(self, token: str) -> Principal | None:
        """Who holds a token; None if it is none of ours, or has been revoked, idle or open for too long."""
        if not is_session_token(token):
            return None
        token_hash = digest(token)
        self._revocations.listen()
        known = self._remembered.get(token_hash)
        if known is not None:
            return known.principal
        age = self._remembered.age
        row = await self._db.fetchrow(statements.SESSION_FIND, token_hash, *self._idle)
        if row is None:
            return None
        kind = PrincipalKind(row["principal_kind"])
        permissions = await self._permissions(kind, row["principal_id"])
        if permissions is None:
            return None
        if row["stale"]:
            await self._db.execute(statements.SESSION_SEEN, row["id"])
        principal = Principal(
            kind=kind,
            id=row["principal_id"],
            permissions=permissions,
            session=row["id"],
            step_up_at=row["step_up_at"],
        )
        self._remembered.keep(token_hash, Known(principal), seconds=row["seconds"], age=age)
        return principal

    async def rotate(self, session: UUID, *, stepped_up: bool = False) -> OpenedSession:
        """Give a session a new token and id; the old ones end. It lasts no longer for that.

        Args:
            session: the session.
            stepped_up: whether a second factor has just been shown, which is what to rotate for.

        Raises:
            Unauthenticated: it has ended.
        """
        token, fresh = new_session_token(), new_id()
        row = await self._db.fetchrow(
            statements.SESSION_ROTATE, session, *self._idle, fresh, digest(token), stepped_up
        )
        if row is None:
            raise Unauthenticated("This session has ended.", cure="Log in again.")
        await self._announce(PrincipalKind(row["principal_kind"]), row["principal_id"])
        return OpenedSession(id=fresh, token=token, expires_at=row["expires_at"])

    async def revoke(self, session: UUID, *, owner: Principal | None = None) -> bool:
        """End a session; whether it was one.

        Args:
            session: the session.
            owner: end it only if it is this principal's; give it whenever the id comes from a client.
        """
        kind, principal_id = (owner.kind.value, owner.id) if owner else (None, None)
        row = await self._db.fetchrow(statements.SESSION_REVOKE, session, kind, principal_id)
        if row is not None:
            await self._announce(PrincipalKind(row["principal_kind"]), row["principal_id"])
        return row is not None

    async def revoke_all(self, kind: PrincipalKind, principal_id: UUID, *, keep: UUID | None = None) -> int:
        """End all sessions of a principal: a forced logout, or after a change of its password; how many.

        Args:
            kind, principal_id: whose.
            keep: the one that stays, such as the one that changed the password.
        """
        answer = await self._db.execute(statements.SESSION_REVOKE_ALL, kind.value, principal_id, keep)
        await self._announce(kind, principal_id)
        return int(answer.split()[-1])

    async def list(self, kind: PrincipalKind, principal_id: UUID) -> tuple[SessionInfo, ...]:
        """The live sessions of a principal, the newest first, 100 at most."""
        rows = await self._db.fetch(statements.SESSION_LIST, kind.value, *self._idle, principal_id)
        return tuple(
            SessionInfo(**{name: row[name] for name in SessionInfo.__struct_fields__}) for row in rows
        )

    async def _announce(self, kind: PrincipalKind, principal_id: UUID) -> None:
        await self._revocations.announce(Principal(kind=kind, id=principal_id).key)


def _clean(text: str) -> str:
    """A header's text as PostgreSQL takes it."""
    return text.replace("\0", "")
