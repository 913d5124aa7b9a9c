"""The payment desk: what other modules have paid from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng.money import Money
from kameng_settlement.payments.desk import OpenedPayment, PaymentDraft
from kameng_settlement.payments.opening import close_payment, open_payment
from kameng_settlement.payments.refunding import request_refund
from kameng_settlement.payments.statements import OPEN_PAYMENTS_FOR

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class LedgerPaymentDesk:
    """`kameng_settlement.contract.PaymentDesk`.

    Args:
        kernel: whose payments.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def open(self, draft: PaymentDraft) -> OpenedPayment:
        """See the contract."""
        opened = await open_payment(self._kernel, draft)
        return OpenedPayment(payment=opened.id, number=opened.number, state=opened.state)

    async def close(self, payment: UUID, actor: str, note: str = "") -> bool:
        """See the contract."""
        return await close_payment(self._kernel, payment, actor, note)

    async def close_for(self, purpose: str, subject: UUID, actor: str, note: str = "") -> int:
        """See the contract."""
        rows = await self._kernel.db.fetch(OPEN_PAYMENTS_FOR, subject, purpose)
        return sum([await close_payment(self._kernel, row["id"], actor, note) for row in rows])

    async def refund(self, payment: UUID, amount: Money, *, key: str, reason: str, actor: str) -> UUID:
        """See the contract."""
        refund = await request_refund(self._kernel, payment, amount, key=key, reason=reason, actor=actor)
        return refund.id
