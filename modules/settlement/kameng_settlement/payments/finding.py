"""Finding what a payment was for by any of its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import Statement

if TYPE_CHECKING:
    from kameng.kernel import Kernel

SUBJECTS_PAID = Statement(
    "settlement.subjects_paid",
    # Each part has an index of its own: the numbers' unique ones, and settlement_payment_by_transaction.
    """
    select subject from settlement_payment where number = $1 and purpose = $2
    union
    select p.subject from settlement_payment_attempt a join settlement_payment p on p.id = a.payment
    where a.number = $1 and p.purpose = $2
    union
    select subject from settlement_payment where transaction = $1 and purpose = $2
    """,
)

PAYMENTS_FOR = Statement(
    "settlement.payments_for",
    # Served by settlement_payment_of_subject.
    "select id, subject from settlement_payment where subject = any($2::uuid[]) and purpose = $1 order by id",
)


class LedgerPaymentFinding:
    """`kameng_settlement.contract.PaymentFinding`.

    Args:
        kernel: whose payments.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db

    async def subjects_paid(self, text: str, purpose: str) -> list[UUID]:
        """See the contract."""
        return [row["subject"] for row in await self._db.fetch(SUBJECTS_PAID, text.strip(), purpose)]

    async def payments_for(self, purpose: str, subjects: Sequence[UUID]) -> Mapping[UUID, Sequence[UUID]]:
        """See the contract."""
        found: dict[UUID, list[UUID]] = {}
        for row in await self._db.fetch(PAYMENTS_FOR, purpose, list(subjects)):
            found.setdefault(row["subject"], []).append(row["id"])
        return found
