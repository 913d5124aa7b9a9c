"""What a gateway said of a payment, made to count: one way for what it told, what it was asked, and what people saw.

All that it said is compared with the payment, under the payment's lock. A transaction of an account counts once, by a
unique index. What does not fit is kept as evidence with a code, and moves nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from kameng.money import Money
from kameng_settlement.gateway_contract import Flow, Observation, PaymentStatus
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.events import PaymentSucceeded
from kameng_settlement.payments.evidence import OBSERVED, keep, storable
from kameng_settlement.payments.outcomes import Observed, Outcome
from kameng_settlement.payments.posting import post_fee, take_in
from kameng_settlement.payments.records import (
    StoredAttempt,
    StoredPayment,
    attempt_of,
    note_history,
    payment_changed,
    payment_of,
    short,
)
from kameng_settlement.payments.routing import TOP_UP
from kameng_settlement.payments.statements import (
    ATTEMPT_BY_NUMBER,
    ATTEMPT_PAID,
    END_ATTEMPT,
    HURRY_ATTEMPTS,
    LOCK_PAYMENT,
    PAY,
    TAKEN,
)
from kameng_settlement.payments.top_ups import grant_bonus

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_ENDINGS: Final = {PaymentStatus.CLOSED: Outcome.CLOSED, PaymentStatus.FAILED: Outcome.FAILED}


async def observe(
    kernel: Kernel, account: StoredAccount, observation: Observation, *, told_by: str, actor: str = ""
) -> Observed:
    """Let what a gateway said count, once, whoever says it and however often, in a transaction of its own or the one around.

    Args:
        kernel: whose payments.
        account: whose gateway said it; its signature was verified with this account's secret, or it was asked over its own
            connection.
        observation: what it said.
        told_by: ``notification``, ``query``, ``close`` or ``person``.
        actor: what histories call it; empty: the account.
    """
    said = storable(observation)
    who = actor or f"gateway:{account.source}"
    for last_try in (False, True):
        try:
            async with kernel.db.transaction():
                observed = await _observe(kernel, account, said, told_by, who)
            OBSERVED.labels(told_by, observed.outcome.value).inc()
            return observed
        except asyncpg.UniqueViolationError:
            # The same transaction for another payment at the same moment; that one went first, and is to be seen now.
            if last_try:
                raise
    raise AssertionError  # the second try returns or raises


async def _observe(
    kernel: Kernel, account: StoredAccount, said: Observation, told_by: str, actor: str
) -> Observed:
    row = await kernel.db.fetchrow(ATTEMPT_BY_NUMBER, said.number)
    if row is None or row["account"] != account.id:
        # Another account's number is as good as none: a merchant's word about somebody else's payment is worth nothing.
        await keep(kernel, account, said, told_by, Outcome.UNKNOWN_NUMBER, None)
        return Observed(Outcome.UNKNOWN_NUMBER)
    locked = await kernel.db.fetchrow(LOCK_PAYMENT, row["payment"])
    assert locked is not None  # noqa: S101 - an attempt's foreign key
    payment, attempt = payment_of(locked), attempt_of(row)
    wrong = _misfit(account, payment, said)
    if wrong is not None:
        await keep(kernel, account, said, told_by, wrong, payment.id)
        return Observed(wrong, payment)
    if said.status in _ENDINGS:
        outcome = _ENDINGS[said.status]
        await kernel.db.execute(END_ATTEMPT, attempt.id, outcome.value, short(said.note))
        await keep(kernel, account, said, told_by, outcome, payment.id)
        payment_changed(kernel, payment)
        return Observed(outcome, payment)
    if said.status is not PaymentStatus.PAID:
        if told_by == "notification":
            await keep(kernel, account, said, told_by, Outcome.PENDING, payment.id)
        return Observed(Outcome.PENDING, payment)
    return await _paid(kernel, account, payment, attempt, said, told_by, actor)


async def _paid(
    kernel: Kernel,
    account: StoredAccount,
    payment: StoredPayment,
    attempt: StoredAttempt,
    said: Observation,
    told_by: str,
    actor: str,
) -> Observed:
    assert said.transaction is not None  # noqa: S101 - _misfit saw to it
    known = await kernel.db.fetchrow(TAKEN, account.id, said.transaction)
    if known is not None:
        same = known["payment"] == payment.id and known["number"] == attempt.number
        outcome = Outcome.REPEATED if same else Outcome.REPLAYED
        if not same:
            await keep(kernel, account, said, told_by, outcome, payment.id)
        return Observed(outcome, payment)
    surplus = payment.state == "PAID"
    posted: UUID | None = None
    if attempt.flow != Flow.BALANCE.value:
        posted = await take_in(
            kernel, account.source, said.transaction, payment.payer, payment.amount, payment.memo
        )
        fee = said.fee or Money(account.fee_of(payment.amount_minor), payment.currency)
        await post_fee(kernel, account.source, said.transaction, fee, payment.memo)
    outcome = Outcome.SURPLUS if surplus else Outcome.PAID
    await keep(kernel, account, said, told_by, outcome, payment.id, posted=posted)
    await kernel.db.execute(ATTEMPT_PAID, attempt.id)
    if surplus:
        note = "paid a second time; the money is in the wallet"
        await note_history(kernel, payment.id, "PAID", "PAID", actor, note)
        return Observed(outcome, payment)
    paid_at = said.paid_at if said.paid_at and said.paid_at <= datetime.now(UTC) else None
    row = await kernel.db.fetchrow(PAY, payment.id, paid_at, account.id, attempt.id, said.transaction)
    assert row is not None  # noqa: S101 - it is locked
    paid = payment_of(row)
    await note_history(kernel, payment.id, payment.state, "PAID", actor, f"{account.source}: paid")
    # Whatever else was begun for it can be closed at its gateway.
    await kernel.db.execute(HURRY_ATTEMPTS, payment.id)
    if paid.purpose == TOP_UP:
        await grant_bonus(kernel, paid)
    await kernel.events.emit(
        PaymentSucceeded(
            payment=str(paid.id),
            number=paid.number,
            purpose=paid.purpose,
            subject=str(paid.subject),
            payer=str(paid.payer),
            payer_kind=paid.payer_kind,
            amount_minor=paid.amount_minor,
            currency=paid.currency,
            source=account.source,
            reference=said.transaction,
            memo=paid.memo,
        )
    )
    payment_changed(kernel, paid)
    return Observed(outcome, paid)


def _misfit(account: StoredAccount, payment: StoredPayment, said: Observation) -> Outcome | None:
    """What of an observation does not fit the payment; None where all does."""
    if said.gateway != account.gateway:
        return Outcome.WRONG_GATEWAY
    if said.merchant is not None and said.merchant != account.merchant:
        return Outcome.WRONG_MERCHANT
    if said.status is not PaymentStatus.PAID:
        return None
    if not said.transaction:
        return Outcome.NO_TRANSACTION
    if said.amount is None:
        return Outcome.WRONG_AMOUNT
    if said.amount.currency != payment.currency:
        return Outcome.WRONG_CURRENCY
    if said.amount.minor != payment.amount_minor:
        return Outcome.WRONG_AMOUNT
    if said.fee is not None and (
        said.fee.currency != payment.currency or not 0 <= said.fee.minor <= payment.amount_minor
    ):
        return Outcome.WRONG_AMOUNT
    return None
