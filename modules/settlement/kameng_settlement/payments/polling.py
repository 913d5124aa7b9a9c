"""What nobody told: attempts are asked about by a schedule, closed where nobody waits for them, and payments expire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from kameng.errors import KamengError
from kameng_settlement.gateway_contract import GatewayError, GatewayUnsupported, PaymentStatus
from kameng_settlement.payments.accounts import open_account, read_accounts
from kameng_settlement.payments.calling import call
from kameng_settlement.payments.observing import observe
from kameng_settlement.payments.records import (
    OPEN_STATES,
    StoredAttempt,
    attempt_of,
    note_history,
    payment_of,
    payment_topic,
    short,
)
from kameng_settlement.payments.statements import (
    CLAIM_ATTEMPTS,
    END_ATTEMPT,
    EXPIRE_PAYMENTS,
    PAYMENTS_BY_ID,
    RELEASE_ATTEMPT,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LEASE: Final = timedelta(minutes=3)
"""How long an attempt is one worker's: longer than its two calls may take."""

BATCH: Final = 20

GIVEN_UP: Final = timedelta(days=7)
"""After so long an attempt is left alone whose gateway never said what became of it; the bill will tell."""

log = structlog.get_logger(__name__)


async def poll_payments(kernel: Kernel) -> None:
    """Ask about what is due, close what is over, let expire what nobody paid."""
    while True:
        claimed = [attempt_of(row) for row in await kernel.db.fetch(CLAIM_ATTEMPTS, BATCH, LEASE)]
        for attempt in claimed:
            note = ""
            try:
                await ask_about(kernel, attempt)
            except KamengError as error:
                note = short(error.message)
                log.warning("an attempt could not be asked about", attempt=str(attempt.id), error=error.code)
            await kernel.db.execute(RELEASE_ATTEMPT, attempt.id, note)
        if len(claimed) < BATCH:
            break
    await expire_payments(kernel)


async def ask_about(kernel: Kernel, attempt: StoredAttempt) -> None:
    """Ask what became of an attempt, and close it where nobody waits for it any more. Outside of any transaction.

    Raises:
        GatewayError: the gateway did not say; it is asked again later.
        GatewayUnknown, GatewaySettingsWrong: the account cannot be opened.
    """
    account = (await read_accounts(kernel, [attempt.account]))[attempt.account]
    payment = payment_of((await kernel.db.fetch(PAYMENTS_BY_ID, [attempt.payment]))[0])
    now = datetime.now(UTC)
    over = payment.state not in OPEN_STATES or min(attempt.expires_at, payment.expires_at) <= now
    found, opened = await open_account(kernel, account)
    if found.capabilities.query:
        try:
            said = await call(kernel, account, "query", found.query(opened, attempt.number))
        except GatewayError:
            if attempt.started_at <= now - GIVEN_UP:
                await kernel.db.execute(END_ATTEMPT, attempt.id, "FAILED", "the gateway never said")
                return
            raise
        if said.number != attempt.number:
            raise GatewayUnsupported("The gateway answered about another payment than it was asked about.")
        if said.status is PaymentStatus.UNKNOWN:
            if over or attempt.state != "WAITING":
                # It never got there, or was closed by our own word; the payer has nothing that he could pay.
                await kernel.db.execute(END_ATTEMPT, attempt.id, "CLOSED", "the gateway has no such payment")
            return
        await observe(kernel, account, said, told_by="query")
        if said.status is not PaymentStatus.PENDING:
            return
    if not over:
        return
    if found.capabilities.close:
        left = await call(kernel, account, "close", found.close(opened, attempt.number))
        if left is not None and left.number == attempt.number:
            if left.status is not PaymentStatus.PENDING:
                await observe(kernel, account, left, told_by="close")
            if left.status is PaymentStatus.PAID:
                return
    await kernel.db.execute(END_ATTEMPT, attempt.id, "CLOSED", "nobody paid it in time")


async def expire_payments(kernel: Kernel) -> int:
    """Let payments expire whose time is over and that nobody is at any more; how many."""
    async with kernel.db.transaction():
        rows = await kernel.db.fetch(EXPIRE_PAYMENTS)
        for row in rows:
            await note_history(kernel, row["id"], row["was"], "EXPIRED", "system", "nobody paid it in time")
        kernel.live.publish_all((payment_topic(row["number"]), "") for row in rows)
    return len(rows)
