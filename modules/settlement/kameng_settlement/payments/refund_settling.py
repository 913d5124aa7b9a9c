"""What became of a refund, made to count: one way for what a gateway told and what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from kameng_settlement.gateway_contract import RefundObservation, RefundStatus
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.events import PaymentNeedsAttention, PaymentRefundSettled
from kameng_settlement.payments.posting import put_back
from kameng_settlement.payments.records import (
    StoredRefund,
    note_history,
    payment_changed,
    payment_of,
    refund_of,
    short,
)
from kameng_settlement.payments.statements import (
    COUNT_REFUNDED,
    LOCK_PAYMENT,
    LOCK_REFUND,
    REFUND_BY_NUMBER,
    WRITE_REFUND,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)

_STATES: Final = {
    RefundStatus.ACCEPTED: "ACCEPTED",
    RefundStatus.SUCCEEDED: "SUCCEEDED",
    RefundStatus.FAILED: "FAILED",
}


async def settle_refund(
    kernel: Kernel, account: StoredAccount, said: RefundObservation, *, actor: str = ""
) -> bool:
    """Let what a gateway said of a refund count, once; whether it fits. `RefundStatus.UNKNOWN` changes nothing.

    A refund that failed goes back into the wallet, in the same transaction.

    Args:
        kernel: whose payments.
        account: whose gateway said it.
        said: what.
        actor: what histories call whoever said it; empty: the account.
    """
    row = await kernel.db.fetchrow(REFUND_BY_NUMBER, said.number[:64])
    if row is None or row["account"] != account.id:
        log.warning("a gateway tells of a refund that is not its own", account=account.source)
        return False
    refund = refund_of(row)
    if not _fits(account, refund, said):
        await tell_attention(kernel, account, refund, "REFUND_DIFFERS")
        return False
    state = _STATES.get(said.status)
    if state is None:
        return True
    async with kernel.db.transaction():
        # The payment first, as everywhere; then its refund.
        locked = await kernel.db.fetchrow(LOCK_PAYMENT, refund.payment)
        now = await kernel.db.fetchrow(LOCK_REFUND, refund.id)
        assert locked is not None  # noqa: S101 - a foreign key
        assert now is not None  # noqa: S101 - refunds are never deleted
        payment, refund = payment_of(locked), refund_of(now)
        if refund.state in ("SUCCEEDED", "FAILED"):
            if refund.state != state and state != "ACCEPTED":
                await tell_attention(kernel, account, refund, "REFUND_CONTRADICTS")
                return False
            return True
        returned = None
        if state == "FAILED":
            returned = await put_back(
                kernel, refund.posted, f"payment-refund-failed:{refund.id}", payment.memo
            )
            await kernel.db.execute(COUNT_REFUNDED, payment.id, -refund.amount_minor)
        reference = (said.reference or "")[:120] or None
        await kernel.db.execute(
            WRITE_REFUND, refund.id, state, short(said.note), reference, returned, said.settled_at
        )
        if state != "ACCEPTED":
            succeeded = state == "SUCCEEDED"
            note = "refunded" if succeeded else "the refund failed; the money is in the wallet again"
            await note_history(
                kernel, payment.id, payment.state, payment.state, actor or f"gateway:{account.source}", note
            )
            await kernel.events.emit(
                PaymentRefundSettled(
                    refund=str(refund.id),
                    payment=str(payment.id),
                    purpose=payment.purpose,
                    subject=str(payment.subject),
                    succeeded=succeeded,
                    amount_minor=refund.amount_minor,
                    currency=refund.currency,
                )
            )
            payment_changed(kernel, payment)
    return True


def _fits(account: StoredAccount, refund: StoredRefund, said: RefundObservation) -> bool:
    return (
        said.gateway == account.gateway
        and (said.merchant is None or said.merchant == account.merchant)
        and (said.amount is None or said.amount == refund.amount)
    )


async def tell_attention(kernel: Kernel, account: StoredAccount, refund: StoredRefund, outcome: str) -> None:
    """Have a person look at a refund."""
    log.warning("a refund needs attention", account=account.source, outcome=outcome)
    async with kernel.db.transaction():
        await kernel.events.emit(
            PaymentNeedsAttention(
                payment=str(refund.payment),
                account=account.source,
                number=refund.number,
                outcome=outcome,
                amount_minor=refund.amount_minor,
                currency=refund.currency,
            )
        )
