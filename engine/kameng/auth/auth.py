"""The kernel's part that knows who asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.auth import statements
from kameng.auth.api_tokens import ApiTokens
from kameng.auth.cookies import SchemaName, SessionCookie
from kameng.auth.credentials import Credentials, read_credentials
from kameng.auth.cross_site import check_origin
from kameng.auth.directory import PrincipalDirectory
from kameng.auth.nonces import Nonces
from kameng.auth.one_time import OneTimeTokens
from kameng.auth.passwords import check_password
from kameng.auth.principal import VISITOR, Principal, PrincipalKind
from kameng.auth.remembered import Remembered
from kameng.auth.revocation import Revocations
from kameng.auth.sessions import Sessions
from kameng.auth.signing import Signature, verify
from kameng.errors import SettingsError, Unauthenticated
from kameng.settings import AuthSettings

if TYPE_CHECKING:
    from kameng.http.ratelimit import RateLimiter
    from kameng.kernel import Kernel

_PURGE_AT_ONCE = 5_000


class Auth:
    """Who asks, and how that is proved.

    Args:
        kernel: whose database, Valkey, settings and modules it uses.

    Attributes:
        settings: the section ``[auth]``.
        sessions: log-ins.
        api_tokens: tokens of programs that act for a principal.
        one_time: links that open one thing once.
        nonces: of signed requests.

    Raises:
        SettingsError: the settings would weaken a production deployment.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.settings = kernel.settings.section("auth", AuthSettings)
        if self.settings.insecure_cookies and kernel.settings.production:
            raise SettingsError(
                "[auth] insecure_cookies is set in production.",
                cure="Take it out, and serve the shop over https.",
            )
        self._remembered = Remembered(self.settings.session_cache_size, self.settings.session_cache_seconds)
        self._revocations = Revocations(kernel.db, kernel.valkey, self._remembered)
        self.sessions = Sessions(
            kernel.db, self.settings, self._permissions, self._remembered, self._revocations
        )
        self.api_tokens = ApiTokens(
            kernel.db, kernel.permissions, self._permissions, self._remembered, self._revocations
        )
        self.one_time = OneTimeTokens(kernel.db)
        self.nonces = Nonces(kernel.valkey, self.settings.signature_tolerance_seconds)

    @cached_property
    def limiter(self) -> RateLimiter:
        """Rate limits that hold over all processes of the deployment."""
        # Here, since kameng.http is built upon the kernel, which is built upon this.
        from kameng.http.ratelimit import RateLimiter

        return RateLimiter(self._kernel.valkey, patience=self._kernel.settings.engine.valkey_seconds)

    def cookie(self, schema: SchemaName) -> SessionCookie:
        """The session cookie of a schema."""
        return SessionCookie(schema, secure=not self.settings.insecure_cookies)

    async def of_request(
        self, method: str, headers: Mapping[str, str], schema: SchemaName, *, address: str = ""
    ) -> Principal:
        """Who sends a request: its credentials are read, its origin checked, and who is behind it found.

        Args:
            method: the HTTP method; ``WEBSOCKET`` for a WebSocket's handshake.
            headers: found by lower-case names.
            schema: whose cookie counts.
            address: the client's network address, as far as it can be trusted.

        Raises:
            Unauthenticated: an ``Authorization`` header is malformed, or its token does not hold.
            CrossSiteRequest: a page of another site makes the browser send it.
        """
        credentials = read_credentials(headers, self.cookie(schema))
        check_origin(
            method,
            headers,
            cookie_used=credentials.cookie_used,
            allowed_origins=self.settings.allowed_origins,
        )
        return await self.principal(credentials, address)

    async def principal(self, credentials: Credentials, address: str = "") -> Principal:
        """Who is behind credentials.

        A cookie that no longer holds makes a visitor: browsers keep sending it, and the shop stays open. A
            bearer token that
        does not hold is an error: a program that sent one does not want to go on as a visitor.

        Args:
            credentials: as read from the request.
            address: the client's network address, for tokens that hold only from some.

        Raises:
            Unauthenticated: the bearer token does not hold.
        """
        if credentials.bearer is not None:
            principal = await self.sessions.find(credentials.bearer) or await self.api_tokens.find(
                credentials.bearer, address
            )
            if principal is None:
                raise Unauthenticated(
                    "The bearer token is unknown, has ended, or does not hold from this address.",
                    cure="Log in again, or use another token.",
                )
            return principal
        if credentials.cookie is not None:
            return await self.sessions.find(credentials.cookie) or VISITOR
        return VISITOR

    async def principal_changed(self, kind: PrincipalKind, principal_id: UUID) -> None:
        """Make all processes look a principal up anew: its permissions have changed, or it was disabled.

        Inside a transaction it takes effect when that commits.
        """
        await self._revocations.announce(Principal(kind=kind, id=principal_id).key)

    async def end_everything(self, kind: PrincipalKind, principal_id: UUID) -> None:
        """End all sessions and API tokens of a principal: it was disabled, or fell into wrong hands."""
        async with self._kernel.db.transaction():
            await self.sessions.revoke_all(kind, principal_id)
            await self.api_tokens.revoke_all(kind, principal_id)

    def check_password(self, text: str, *, login: str = "") -> None:
        """Insist on a new password that is worth hashing, by this deployment's settings; never at log-in.

        Raises:
            WeakPassword: it is too short, too long, among the most common ones, or contains the login name.
        """
        check_password(text, login=login, min_length=self.settings.password_min_length)

    def require_step_up(self, principal: Principal) -> None:
        """Insist that the session showed a second factor within ``step_up_minutes``.

        Raises:
            Unauthenticated: nobody is logged in.
            StepUpRequired: it did not.
        """
        principal.require_step_up(timedelta(minutes=self.settings.step_up_minutes))

    async def accept_signature(
        self, signature: Signature, secret: bytes, method: str, target: str, body: bytes
    ) -> None:
        """Insist on a signed request that fits, is fresh, and comes for the first time.

        Args:
            signature: as read from the request.
            secret: of the key that it names.
            method, target, body: of the request, as received.

        Raises:
            SignatureInvalid: it does not fit, its time is off, or it was accepted before.
            UnavailableError: Valkey does not answer, so that cannot be known.
        """
        verify(
            signature,
            secret,
            method,
            target,
            body,
            tolerance=self.settings.signature_tolerance_seconds,
        )
        await self.nonces.claim(signature)

    async def purge(self, after: timedelta = timedelta(days=30)) -> int:
        """Delete sessions and one-time tokens that have been over for a while; how many.

        Each statement deletes a bounded number, so that none holds its locks for long.
        """
        deleted = 0
        for statement in statements.PURGE:
            while True:
                answer = await self._kernel.db.execute(statement, after, _PURGE_AT_ONCE)
                deleted += (count := int(answer.split()[-1]))
                if count < _PURGE_AT_ONCE:
                    break
        return deleted

    async def close(self) -> None:
        """Stop listening to other processes. The kernel calls it before it closes its connections."""
        await self._revocations.close()

    @cached_property
    def _directory(self) -> PrincipalDirectory | None:
        provided = (item.contract for module in self._kernel.modules for item in module.provides)
        return self._kernel.services.get(PrincipalDirectory) if PrincipalDirectory in provided else None

    async def _permissions(self, kind: PrincipalKind, principal_id: UUID) -> frozenset[str] | None:
        directory = self._directory
        return None if directory is None else await directory.permissions(kind, principal_id)
