"""The contract by which the kernel learns who its principals are."""

from typing import Protocol
from uuid import UUID

from kameng.auth.principal import PrincipalKind


class PrincipalDirectory(Protocol):
    """Knows the members, staff and integrations of a deployment, and what each may do.

    The kernel owns the contract and a module fulfils it (``provides=(Provide(PrincipalDirectory, …),)``).
    Without a provider there are only visitors. Whoever changes what `permissions` answers tells
    `Auth.principal_changed`.
    """

    async def permissions(self, kind: PrincipalKind, principal_id: UUID) -> frozenset[str] | None:
        """The permissions that a principal holds, by name, ``*`` for all; None if it is gone or disabled."""
        ...
