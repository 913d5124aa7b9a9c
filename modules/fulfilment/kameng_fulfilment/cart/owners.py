"""Whose cart a request means."""

from __future__ import annotations

from uuid import UUID

import msgspec

from kameng.auth import PrincipalKind, greet_visitor, known_visitor
from kameng.errors import Forbidden
from kameng.graphql import Context


class CartOwner(msgspec.Struct, frozen=True):
    """Who has a cart.

    Attributes:
        member: his key; None for a visitor.
        visitor: what is stored of his token; None for a member.
    """

    member: UUID | None = None
    visitor: bytes | None = None

    @property
    def name(self) -> bytes:
        """Tells owners apart."""
        return self.member.bytes if self.member else self.visitor or b""


def owner_of(context: Context) -> CartOwner | None:
    """Whose cart a request means; None for a visitor who has none.

    Raises:
        Forbidden: the staff and integrations have no carts, nor has an API token.
    """
    member = _member(context)
    if member is not None:
        return CartOwner(member=member)
    visitor = known_visitor(context)
    return CartOwner(visitor=visitor) if visitor else None


def owner_from_now_on(context: Context) -> CartOwner:
    """As `owner_of`; a visitor who has no token gets one."""
    return owner_of(context) or CartOwner(visitor=greet_visitor(context))


def _member(context: Context) -> UUID | None:
    principal = context.principal
    if principal.kind is PrincipalKind.VISITOR:
        return None
    if principal.kind is not PrincipalKind.MEMBER:
        raise Forbidden("Only members and visitors have carts.", cure="Log in as a member, or not at all.")
    return principal.require_kind(PrincipalKind.MEMBER)
