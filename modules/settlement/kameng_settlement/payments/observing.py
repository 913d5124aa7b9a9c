"""What a gateway said of a payment, made to count: one way for what it told, what it was asked, and what people saw.

All that it said is compared with the payment, under the payment's lock. A transaction of an account counts once, by a
unique index. What does not fit is kept as evidence with a code, and moves nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
import msgspec
import structlog
from prometheus_client import Counter

from kameng.ids import new_id
from kameng.money import MAX_MINOR, Money
from kameng_settlement.gateway_contract import Flow, Observation, PaymentStatus
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.events import PaymentNeedsAttention, PaymentSucceeded
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
    ADD_OBSERVATION,
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

log = structlog.get_logger(__name__)

OBSERVED = Counter(
    "kameng_payment_observations_total",
    "What gateways said of payments, by who told it and what came of it.",
    ["told_by", "outcome"],
)

LONGEST_TRANSACTION: Final = 120
"""Characters of a gateway's own number."""


class Outcome(StrEnum):
    """What came of an observation."""

    PAID = "PAID"
    """It is paid, and the money is in the payer's wallet."""
    SURPLUS = "SURPLUS"
    """It had been paid by another transaction; this money too is in the payer's wallet."""
    REPEATED = "REPEATED"
    """The same transaction was taken in before; nothing more came of it."""
    PENDING = "PENDING"
    """Not paid yet."""
    CLOSED = "CLOSED"
    """The try is over: it cannot be paid any more."""
    FAILED = "FAILED"
    """The try is over: the gateway could not take the money."""
    UNKNOWN_NUMBER = "UNKNOWN_NUMBER"
    """There is no payment of this number at this account."""
    WRONG_GATEWAY = "WRONG_GATEWAY"
    """Another gateway's word."""
    WRONG_MERCHANT = "WRONG_MERCHANT"
    """The money went to somebody else."""
    WRONG_AMOUNT = "WRONG_AMOUNT"
    """Another amount than is to be paid, or none."""
    WRONG_CURRENCY = "WRONG_CURRENCY"
    """Another currency."""
    NO_TRANSACTION = "NO_TRANSACTION"
    """It says paid, and not by which transaction."""
    REPLAYED = "REPLAYED"
    """The transaction was taken in before for something else."""
    UNCONFIRMED = "UNCONFIRMED"
    """It says paid, and the gateway, when asked, does not."""


HARMLESS: Final = frozenset(
    {Outcome.PAID, Outcome.SURPLUS, Outcome.REPEATED, Outcome.PENDING, Outcome.CLOSED, Outcome.FAILED}
)
"""Outcomes after which the gateway need not tell again."""

_ALARMING: Final = frozenset(set(Outcome) - (HARMLESS - {Outcome.SURPLUS}))
"""Outcomes that a person should look at."""

_ENDINGS: Final = {PaymentStatus.CLOSED: Outcome.CLOSED, PaymentStatus.FAILED: Outcome.FAILED}


class Observed(msgspec.Struct, frozen=True):
    """What came of an observation, and for which payment."""

    outcome: Outcome
    payment: StoredPayment | None = None


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
    said = _kept(observation)
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


async def keep_unconfirmed(kernel: Kernel, account: StoredAccount, observation: Observation) -> None:
    """Keep a notification that says paid where the gateway, when asked, does not, and have a person look."""
    said = _kept(observation)
    async with kernel.db.transaction():
        row = await kernel.db.fetchrow(ATTEMPT_BY_NUMBER, said.number)
        attempt = None if row is None or row["account"] != account.id else attempt_of(row)
        await _keep(
            kernel, account, said, "notification", Outcome.UNCONFIRMED, attempt.payment if attempt else None
        )
    OBSERVED.labels("notification", Outcome.UNCONFIRMED.value).inc()


async def _observe(
    kernel: Kernel, account: StoredAccount, said: Observation, told_by: str, actor: str
) -> Observed:
    row = await kernel.db.fetchrow(ATTEMPT_BY_NUMBER, said.number)
    if row is None or row["account"] != account.id:
        # Another account's number is as good as none: a merchant's word about somebody else's payment is worth nothing.
        await _keep(kernel, account, said, told_by, Outcome.UNKNOWN_NUMBER, None)
        return Observed(Outcome.UNKNOWN_NUMBER)
    locked = await kernel.db.fetchrow(LOCK_PAYMENT, row["payment"])
    assert locked is not None  # noqa: S101 - an attempt's foreign key
    payment, attempt = payment_of(locked), attempt_of(row)
    wrong = _misfit(account, payment, said)
    if wrong is not None:
        await _keep(kernel, account, said, told_by, wrong, payment.id)
        return Observed(wrong, payment)
    if said.status in _ENDINGS:
        outcome = _ENDINGS[said.status]
        await kernel.db.execute(END_ATTEMPT, attempt.id, outcome.value, short(said.note))
        await _keep(kernel, account, said, told_by, outcome, payment.id)
        payment_changed(kernel, payment)
        return Observed(outcome, payment)
    if said.status is not PaymentStatus.PAID:
        if told_by == "notification":
            await _keep(kernel, account, said, told_by, Outcome.PENDING, payment.id)
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
            await _keep(kernel, account, said, told_by, outcome, payment.id)
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
    await _keep(kernel, account, said, told_by, outcome, payment.id, posted=posted)
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


async def _keep(
    kernel: Kernel,
    account: StoredAccount,
    said: Observation,
    told_by: str,
    outcome: Outcome,
    payment: UUID | None,
    *,
    posted: UUID | None = None,
) -> None:
    taken = outcome in (Outcome.PAID, Outcome.SURPLUS)
    tag = await kernel.db.execute(
        ADD_OBSERVATION,
        new_id(),
        account.id,
        payment,
        said.number,
        told_by,
        said.status.value,
        said.transaction,
        said.merchant,
        said.amount.minor if said.amount else None,
        said.amount.currency if said.amount else None,
        said.fee.minor if said.fee else None,
        said.raw_digest,
        outcome.value,
        taken,
        posted,
        short(said.note),
        said.paid_at,
    )
    fresh = not tag.endswith(" 0")
    if fresh and outcome in _ALARMING:
        log.warning("a payment needs attention", account=account.source, outcome=outcome.value)
        await kernel.events.emit(
            PaymentNeedsAttention(
                payment=None if payment is None else str(payment),
                account=account.source,
                number=said.number,
                outcome=outcome.value,
                amount_minor=said.amount.minor if said.amount else None,
                currency=said.amount.currency if said.amount else None,
            )
        )


def _kept(said: Observation) -> Observation:
    """An observation that can be stored: what is too long or no value at all becomes something that fits nothing."""
    amount = said.amount
    if amount is not None:
        known = len(amount.currency) == 3 and amount.currency.isalpha() and amount.currency.isupper()
        minor = max(-MAX_MINOR, min(MAX_MINOR, amount.minor))
        amount = Money(minor, amount.currency if known and amount.currency.isascii() else "XXX")
    digest = said.raw_digest
    if len(digest) != 32:
        digest = sha256(msgspec.json.encode(said, order="deterministic")).digest()
    return msgspec.structs.replace(
        said,
        number=_cut(said.number),
        merchant=None if said.merchant is None else _cut(said.merchant),
        transaction=said.transaction if _plain(said.transaction) else None,
        amount=amount,
        raw_digest=digest,
    )


def _cut(text: str) -> str:
    plain = text if text.isprintable() else ""
    return plain if len(plain) <= 64 else f"{plain[:63]}…"


def _plain(transaction: str | None) -> bool:
    return (
        transaction is not None and 0 < len(transaction) <= LONGEST_TRANSACTION and transaction.isprintable()
    )
