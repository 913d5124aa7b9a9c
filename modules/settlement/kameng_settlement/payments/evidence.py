"""What gateways said, kept as evidence: whatever came of it, once for the same words, and told where a person should look."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter

from kameng.ids import new_id
from kameng.money import MAX_MINOR, Money
from kameng_settlement.gateway_contract import Observation
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.events import PaymentNeedsAttention
from kameng_settlement.payments.outcomes import ALARMING, Outcome
from kameng_settlement.payments.records import attempt_of, short
from kameng_settlement.payments.statements import ADD_OBSERVATION, ATTEMPT_BY_NUMBER

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


async def keep_unconfirmed(kernel: Kernel, account: StoredAccount, observation: Observation) -> None:
    """Keep a notification that says paid where the gateway, when asked, does not, and have a person look."""
    said = storable(observation)
    async with kernel.db.transaction():
        row = await kernel.db.fetchrow(ATTEMPT_BY_NUMBER, said.number)
        attempt = None if row is None or row["account"] != account.id else attempt_of(row)
        await keep(
            kernel, account, said, "notification", Outcome.UNCONFIRMED, attempt.payment if attempt else None
        )
    OBSERVED.labels("notification", Outcome.UNCONFIRMED.value).inc()


async def keep(
    kernel: Kernel,
    account: StoredAccount,
    said: Observation,
    told_by: str,
    outcome: Outcome,
    payment: UUID | None,
    *,
    posted: UUID | None = None,
) -> None:
    """Keep what was said with what came of it; the staff is told where it has not been and should look."""
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
    if fresh and outcome in ALARMING:
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


def storable(said: Observation) -> Observation:
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
