"""API tokens: how a program acts for a principal, limited to scopes and networks.

A token never does more than its principal: what it may do is what both its scopes and the principal's
    permissions hold, looked up anew for each use. Its text is shown once; the database keeps its SHA-256 and
    the public prefix.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from kameng.auth import statements
from kameng.auth.networks import holds_from, parse_networks
from kameng.auth.principal import Principal, PrincipalKind
from kameng.auth.remembered import Known, Remembered
from kameng.auth.revocation import Revocations
from kameng.auth.sessions import Permissions
from kameng.auth.tokens import digest, is_api_token, new_api_token
from kameng.db import Database
from kameng.errors import InvalidInput
from kameng.ids import new_id

log = structlog.get_logger(__name__)


class IssuedApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that has just been made; the only place where its text can be read.

    Attributes:
        id: the token.
        prefix: its public part, by which lists name it.
        text: what the program sends as ``Authorization: Bearer TEXT``.
    """

    id: UUID
    prefix: str
    text: str

    def __repr__(self) -> str:
        return f"IssuedApiToken(id={self.id!r}, prefix={self.prefix!r})"


class ApiTokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A token as its owner sees it in a list.

    Attributes:
        id, prefix, name: the token, its public part, and what its owner calls it.
        scopes: permissions that it is limited to; ``*`` for all that its owner has.
        allowed_networks: networks that it holds from; none: everywhere.
        created_at, expires_at, revoked_at: its life; None where that is not so.
        last_used_at: when it was last used, to the minute; None if never.
    """

    id: UUID
    prefix: str
    name: str
    scopes: tuple[str, ...]
    allowed_networks: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def limited(permissions: frozenset[str], scopes: Collection[str]) -> frozenset[str]:
    """What a token with these scopes may do for a principal with these permissions."""
    if "*" in scopes:
        return permissions
    if "*" in permissions:
        return frozenset(scopes)
    return permissions & frozenset(scopes)


class ApiTokens:
    """The API tokens of a deployment.

    Args:
        db: where they are kept.
        known_permissions: names that a scope may have.
        permissions: asked for what a token's principal may do.
        remembered: what this process knows already.
        revocations: tells the other processes.
    """

    def __init__(
        self,
        db: Database,
        known_permissions: Collection[str],
        permissions: Permissions,
        remembered: Remembered,
        revocations: Revocations,
    ) -> None:
        self._db = db
        self._known = known_permissions
        self._permissions = permissions
        self._remembered = remembered
        self._revocations = revocations

    async def issue(
        self,
        kind: PrincipalKind,
        principal_id: UUID,
        *,
        name: str,
        scopes: Iterable[str],
        allowed_networks: Iterable[str] = (),
        ttl: timedelta | None = None,
    ) -> IssuedApiToken:
        """Make a token for a principal.

        Args:
            kind, principal_id: for whom it acts.
            name: what its owner calls it; cut to 100 characters.
            scopes: permissions that it is limited to; ``*`` for all that the principal has.
            allowed_networks: networks and addresses that it holds from; none: everywhere.
            ttl: how long it holds; None: until it is revoked.

        Raises:
            InvalidInput: a scope or a network is none, or there is no scope.
        """
        wanted = tuple(dict.fromkeys(scopes))
        unknown = [scope for scope in wanted if scope != "*" and scope not in self._known]
        if unknown or not wanted:
            raise InvalidInput(
                f"No permission is named {unknown[0][:80]!r}."
                if unknown
                else "The token would have no scope.",
                cure="Choose scopes among the names of permissions, or * for all.",
                path=("scopes",),
            )
        networks = parse_networks(allowed_networks)
        prefix, text = new_api_token()
        token = new_id()
        await self._db.execute(
            statements.API_TOKEN_ISSUE,
            token,
            digest(text),
            prefix,
            kind.value,
            principal_id,
            name.replace("\0", "")[:100],
            wanted,
            networks,
            ttl,
        )
        return IssuedApiToken(id=token, prefix=prefix, text=text)

    async def find(self, text: str, address: str) -> Principal | None:
        """For whom a token acts.

        Args:
            text: the token.
            address: the client's network address.

        Returns:
            None if it is none of ours, has been revoked or is over, or does not hold from that address.
        """
        if not is_api_token(text):
            return None
        known = await self._known_behind(digest(text))
        if known is None:
            return None
        if known.networks and not holds_from(address, known.networks):
            log.warning("api_token_refused_address", token=str(known.principal.session), address=address)
            return None
        return known.principal

    async def _known_behind(self, token_hash: bytes) -> Known | None:
        self._revocations.listen()
        known = self._remembered.get(token_hash)
        if known is not None:
            return known
        age = self._remembered.age
        row = await self._db.fetchrow(statements.API_TOKEN_FIND, token_hash)
        if row is None:
            return None
        kind = PrincipalKind(row["principal_kind"])
        permissions = await self._permissions(kind, row["principal_id"])
        if permissions is None:
            return None
        if row["stale"]:
            await self._db.execute(statements.API_TOKEN_USED, row["id"])
        scopes = frozenset(row["scopes"])
        principal = Principal(
            kind=kind,
            id=row["principal_id"],
            permissions=limited(permissions, scopes),
            session=row["id"],
            scopes=None if "*" in scopes else scopes,
        )
        known = Known(principal, tuple(row["allowed_networks"]))
        self._remembered.keep(token_hash, known, seconds=row["seconds"], age=age)
        return known

    async def revoke(self, token: UUID, *, owner: Principal | None = None) -> bool:
        """End a token; whether it was one.

        Args:
            token: its id.
            owner: end it only if it is this principal's; give it whenever the id comes from a client.
        """
        kind, principal_id = (owner.kind.value, owner.id) if owner else (None, None)
        row = await self._db.fetchrow(statements.API_TOKEN_REVOKE, token, kind, principal_id)
        if row is not None:
            changed = Principal(kind=PrincipalKind(row["principal_kind"]), id=row["principal_id"])
            await self._revocations.announce(changed.key)
        return row is not None

    async def revoke_all(self, kind: PrincipalKind, principal_id: UUID) -> int:
        """End all tokens of a principal; how many."""
        answer = await self._db.execute(statements.API_TOKEN_REVOKE_ALL, kind.value, principal_id)
        await self._revocations.announce(Principal(kind=kind, id=principal_id).key)
        return int(answer.split()[-1])

    async def list(self, kind: PrincipalKind, principal_id: UUID) -> tuple[ApiTokenInfo, ...]:
        """The tokens of a principal, the newest first, 100 at most; also those that are over."""
        rows = await self._db.fetch(statements.API_TOKEN_LIST, kind.value, principal_id)
        names = ApiTokenInfo.__struct_fields__
        return tuple(msgspec.convert({name: row[name] for name in names}, ApiTokenInfo) for row in rows)
