"""Who asks: a visitor, a member, one of the staff, or an integration."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from kameng.errors import Forbidden, Unauthenticated


class PrincipalKind(StrEnum):
    """The four kinds of principal."""

    VISITOR = "visitor"
    MEMBER = "member"
    STAFF = "staff"
    INTEGRATION = "integration"


class StepUpRequired(Forbidden):
    """This needs a second factor shown a short while ago."""

    code = "STEP_UP_REQUIRED"


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as found from the request's credentials.

    Attributes:
        kind: which of the four.
        id: the member, staff member or integration; None for a visitor.
        permissions: names of permissions held; ``*`` holds all.
        session: the session or token the request came with, so that it can be ended.
        scopes: what an API token is limited to; None for a session, and for a token without limits.
        step_up_at: when the session last showed a second factor; None if it never did, and for tokens.
    """

    kind: PrincipalKind = PrincipalKind.VISITOR
    id: UUID | None = None
    permissions: frozenset[str] = frozenset()
    session: UUID | None = None
    scopes: frozenset[str] | None = None
    step_up_at: datetime | None = None

    def may(self, permission: str) -> bool:
        """Whether a permission is held."""
        return permission in self.permissions or "*" in self.permissions

    def require(self, permission: str) -> None:
        """Insist on a permission.

        Raises:
            Unauthenticated: nobody is logged in.
            Forbidden: somebody is, without the permission.
        """
        if self.kind is PrincipalKind.VISITOR:
            raise Unauthenticated(
                "This needs a log-in.", cure="Log in and send the session's cookie or token."
            )
        if not self.may(permission):
            raise Forbidden(
                f"This needs the permission {permission}.",
                cure="Ask an administrator to add it to one of your roles.",
            )

    def require_kind(self, kind: PrincipalKind, *, scope: str = "") -> UUID:
        """Insist on a kind of principal; returns its id.

        Args:
            kind: the kind that it takes.
            scope: the permission by which an API token can be given this operation, although a session of
                that kind needs none. Without it the operation is closed to tokens that are limited to scopes.

        Raises:
            Unauthenticated: nobody is logged in.
            Forbidden: somebody else than such a principal is, or its token is limited to other things.
        """
        if self.kind is PrincipalKind.VISITOR or self.id is None:
            raise _login_needed()
        if self.kind is not kind:
            raise Forbidden(
                f"This is for a {kind.value}; you are logged in as {self.kind.value}.", cure="Log in as one."
            )
        if self.scopes is not None and scope not in self.scopes:
            raise Forbidden(
                "This API token is limited to other things.",
                cure=f"Use a token with the scope {scope}." if scope else "Log in instead.",
            )
        return self.id

    def require_step_up(self, within: timedelta = timedelta(minutes=10)) -> None:
        """Insist that the session showed a second factor a short while ago: before exporting keys, say.

        Raises:
            Unauthenticated: nobody is logged in.
            StepUpRequired: it did not, or the request came with an API token, which cannot.
        """
        if self.kind is PrincipalKind.VISITOR:
            raise _login_needed()
        if self.step_up_at is None or datetime.now(UTC) - self.step_up_at > within:
            raise StepUpRequired(
                "This needs your second factor once more.", cure="Confirm with it, then try again."
            )

    @property
    def key(self) -> str:
        """A stable text for limits and logs, such as ``member:0189…``."""
        return f"{self.kind.value}:{self.id}" if self.id else self.kind.value


def _login_needed() -> Unauthenticated:
    return Unauthenticated("This needs a log-in.", cure="Log in and send the session's cookie or token.")


VISITOR = Principal()
"""Somebody without credentials."""
