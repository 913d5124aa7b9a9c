"""Giving money back by the gateway that it came in by.

The wallet gives it first, in the transaction that writes the refund down. The gateway is asked afterwards, always under the
same number; where nobody knows what became of it, it is asked about before it is sent again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from kameng.errors import Conflict, InvalidInput, KamengError
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.gateway_contract import (
    GatewayError,
    GatewayNotReached,
    GatewayRefused,
    RefundObservation,
    RefundRequest,
    RefundStatus,
)
from kameng_settlement.payments.accounts import StoredAccount, open_account, read_accounts
from kameng_settlement.payments.calling import call
from kameng_settlement.payments.errors import NotRefundable, RefundExceedsPayment
from kameng_settlement.payments.gateways import gateway
from kameng_settlement.payments.posting import take_out
from kameng_settlement.payments.records import (
    StoredPayment,
    StoredRefund,
    new_number,
    note_history,
    payment_changed,
    payment_of,
    refund_of,
    short,
)
from kameng_settlement.payments.refund_settling import settle_refund, tell_attention
from kameng_settlement.payments.refund_verdicts import ASKED_LONG
from kameng_settlement.payments.starting import lock_payment
from kameng_settlement.payments.statements import (
    ADD_REFUND,
    ATTEMPTS_OF,
    CLAIM_REFUNDS,
    COUNT_REFUNDED,
    NOTE_REFUND,
    PAYMENTS_BY_ID,
    REFUND_BY_KEY,
    REFUND_NOT_SENT,
    REFUND_SENT,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LEASE: Final = timedelta(minutes=3)
"""How long a refund is one worker's: longer than its two calls may take."""

BATCH: Final = 20

UNASKABLE: Final = (
    "nobody knows whether it was carried out, and its gateway cannot be asked: two persons settle it"
)
"""What is noted of a refund that is not sent again."""

log = structlog.get_logger(__name__)


async def request_refund(
    kernel: Kernel, payment: UUID, amount: Money, *, key: str, reason: str, actor: str
) -> StoredRefund:
    """Have a payment, or a part of it, go back to whom it came from; once for each key. Joins the transaction around it.

    Raises:
        NotFound: there is no such payment.
        NotRefundable: it is not paid, its gateway gives nothing back or no parts, or it is too long ago.
        RefundExceedsPayment: more would go back than was paid.
        InsufficientFunds: the payer's wallet holds less: the money was spent.
        Conflict: the key was used for something else.
    """
    if amount.minor <= 0:
        raise InvalidInput("A refund is more than zero.", path=("input", "amount"))
    async with kernel.db.transaction():
        paid = await lock_payment(kernel, payment)
        row = await kernel.db.fetchrow(REFUND_BY_KEY, key)
        if row is not None:
            known = refund_of(row)
            if (known.payment, known.amount) != (payment, amount):
                raise Conflict("This idempotency key was used for another refund.", cure="Take a fresh key.")
            return known
        account = await _refundable(kernel, paid, amount)
        own, number = new_id(), new_number("R")
        posted = await take_out(
            kernel, account.source, paid.payer, amount, f"payment-refund:{own}", paid.memo
        )
        await kernel.db.execute(COUNT_REFUNDED, paid.id, amount.minor)
        await kernel.db.execute(
            ADD_REFUND,
            own,
            paid.id,
            account.id,
            number,
            key,
            amount.minor,
            amount.currency,
            short(reason),
            actor,
            posted,
        )
        await note_history(kernel, paid.id, paid.state, paid.state, actor, "a refund was asked for")
        await kernel.tasks.enqueue("settlement.refund_payments")
        payment_changed(kernel, paid)
        row = await kernel.db.fetchrow(REFUND_BY_KEY, key)
        assert row is not None  # noqa: S101 - it was written just now
        return refund_of(row)


async def _refundable(kernel: Kernel, paid: StoredPayment, amount: Money) -> StoredAccount:
    if paid.state != "PAID" or paid.paid_to is None or paid.paid_at is None:
        raise NotRefundable("Nothing came in for this payment.", cure="Look at its state.")
    if amount.currency != paid.currency:
        raise InvalidInput(f"This payment is in {paid.currency}.", path=("input", "amount", "currency"))
    account = (await read_accounts(kernel, [paid.paid_to]))[paid.paid_to]
    can = gateway(account.gateway).capabilities
    if not can.refunds:
        raise NotRefundable(
            "This gateway gives nothing back.", cure="Refund the order into the wallet instead."
        )
    if amount.minor < paid.amount_minor and not can.partial_refunds:
        raise NotRefundable("This gateway gives back all or nothing.", cure="Refund the whole payment.")
    if can.refund_days is not None and paid.paid_at < datetime.now(UTC) - timedelta(days=can.refund_days):
        raise NotRefundable(
            f"This gateway gives back for {can.refund_days} days, which are over.",
            cure="Refund the order into the wallet instead.",
        )
    if amount.minor > paid.amount_minor - paid.refunded_minor:
        left = Money(paid.amount_minor - paid.refunded_minor, paid.currency)
        raise RefundExceedsPayment(
            f"Of this payment {left.amount} {left.currency} are left.",
            cure="Take a smaller amount.",
            path=("input", "amount", "amount"),
        )
    return account


async def refund_payments(kernel: Kernel) -> None:
    """Send the refunds that are due, and ask about those that are under way."""
    while True:
        claimed = [refund_of(row) for row in await kernel.db.fetch(CLAIM_REFUNDS, BATCH, LEASE)]
        for refund in claimed:
            if refund.asks == ASKED_LONG and refund.note != UNASKABLE:
                await _alarm(kernel, refund)
            try:
                await work_refund(kernel, refund)
            except KamengError as error:
                log.warning("a refund could not be worked on", refund=str(refund.id), error=error.code)
                await kernel.db.execute(NOTE_REFUND, refund.id, short(error.message))
        if len(claimed) < BATCH:
            return


async def _alarm(kernel: Kernel, refund: StoredRefund) -> None:
    account = (await read_accounts(kernel, [refund.account]))[refund.account]
    await tell_attention(kernel, account, refund, "REFUND_UNSETTLED")


async def work_refund(kernel: Kernel, refund: StoredRefund) -> None:
    """Send a refund, or ask about it, outside of any transaction."""
    account = (await read_accounts(kernel, [refund.account]))[refund.account]
    found, opened = await open_account(kernel, account)
    request = await _request(kernel, refund)
    sent = False
    try:
        if refund.sends:
            # It may have been sent: ask first, whatever came of it, and send it again only if nobody ever got it.
            said = await call(kernel, account, "query_refund", found.query_refund(opened, request))
            if said.status is not RefundStatus.UNKNOWN:
                await settle_refund(kernel, account, said)
                await kernel.db.execute(NOTE_REFUND, refund.id, short(said.note))
                return
            if not found.capabilities.refund_query:
                # That it knows of none proves nothing, and the second one would go out of our pocket.
                await kernel.db.execute(NOTE_REFUND, refund.id, UNASKABLE)
                if refund.note != UNASKABLE:
                    await _alarm(kernel, refund)
                return
        await kernel.db.execute(REFUND_SENT, refund.id)
        sent = True
        said = await call(kernel, account, "refund", found.refund(opened, request))
    except GatewayRefused as error:
        await _refused(kernel, account, refund, error)
        return
    except GatewayNotReached as error:
        if sent:
            await kernel.db.execute(REFUND_NOT_SENT, refund.id)
        await kernel.db.execute(NOTE_REFUND, refund.id, short(error.message))
        return
    except GatewayError as error:
        # Nobody knows: it stays as it is, and is asked about.
        await kernel.db.execute(NOTE_REFUND, refund.id, short(error.message))
        return
    await settle_refund(kernel, account, said)


async def _refused(
    kernel: Kernel, account: StoredAccount, refund: StoredRefund, error: GatewayRefused
) -> None:
    """The gateway will not, for certain: the wallet gets it back."""
    await settle_refund(
        kernel,
        account,
        RefundObservation(
            gateway=account.gateway,
            merchant=account.merchant,
            number=refund.number,
            status=RefundStatus.FAILED,
            raw_digest=b"\0" * 32,
            note=f"{error.reason} {error.message}".strip(),
        ),
    )


async def _request(kernel: Kernel, refund: StoredRefund) -> RefundRequest:
    (row,) = await kernel.db.fetch(PAYMENTS_BY_ID, [refund.payment])
    payment = payment_of(row)
    attempts = {each["id"]: each["number"] for each in await kernel.db.fetch(ATTEMPTS_OF, [payment.id])}
    assert payment.paid_attempt is not None  # noqa: S101 - only paid ones are refunded
    assert payment.transaction is not None  # noqa: S101 - only paid ones are refunded
    return RefundRequest(
        number=refund.number,
        payment_number=attempts[payment.paid_attempt],
        transaction=payment.transaction,
        amount=refund.amount,
        paid=payment.amount,
        reason=refund.reason[:80],
    )
