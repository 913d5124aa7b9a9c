"""Finding payments, as other modules use it. They import it from `kameng_settlement.contract`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID


class PaymentFinding(Protocol):
    """Finding what a payment was for, for searches of the staff."""

    async def subjects_paid(self, text: str, purpose: str) -> list[UUID]:
        """What was paid, or was to be, by payments of this purpose that are called so. One statement.

        Args:
            text: a payment's number, that of a try to pay it, or what its gateway calls it.
            purpose: what for, such as ``order``.
        """
        ...

    async def payments_for(self, purpose: str, subjects: Sequence[UUID]) -> Mapping[UUID, Sequence[UUID]]:
        """Keys of the payments for each of these, in order; what has none may be missing. One statement."""
        ...
