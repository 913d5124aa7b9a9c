"""Who asks: a visitor, a member, one of the staff, or an integration."""

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


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as found from the request's credentials.

    Attributes:
        kind: which of the four.
        id: the member, staff member or integration; None for a visitor.
        permissions: names of permissions held; ``*`` holds all.
        session: the session or token the request came with, so that it can be ended.
    """

    kind: PrincipalKind = PrincipalKind.VISITOR
    id: UUID | None = None
    permissions: frozenset[str] = frozenset()
    session: UUID | None = None

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
            raise Unauthenticated("This needs a log-in.", cure="Log in and send the session's cookie or token.")
        if not self.may(permission):
            raise Forbidden(
                f"This needs the permission {permission}.", cure="Ask an administrator to add it to one of your roles."
            )

    def require_kind(self, kind: PrincipalKind) -> UUID:
        """Insist on a kind of principal; returns its id.

        Raises:
            Unauthenticated: nobody is logged in.
            Forbidden: somebody else than such a principal is.
        """
        if self.kind is PrincipalKind.VISITOR or self.id is None:
            raise Unauthenticated("This needs a log-in.", cure="Log in and send the session's cookie or token.")
        if self.kind is not kind:
            raise Forbidden(f"This is for a {kind.value}; you are logged in as {self.kind.value}.", cure="Log in as one.")
        return self.id

    @property
    def key(self) -> str:
        """A stable text for limits and logs, such as ``member:0189…``."""
        return f"{self.kind.value}:{self.id}" if self.id else self.kind.value


VISITOR = Principal()
"""Somebody without credentials."""
