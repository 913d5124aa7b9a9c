"""Beginning to pay: an attempt at the account that the routing chooses, at the next one where that cannot be used.

An attempt is committed before its gateway is called. Whatever happens to the caller in between, the gateway is asked later
what became of it, under the same number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from kameng.db.database import as_json
from kameng.errors import NotFound
from kameng.ids import new_id
from kameng_settlement.gateway_contract import (
    Flow,
    GatewayError,
    GatewayUnanswered,
    PaymentRequest,
    Started,
)
from kameng_settlement.payments.accounts import GatewaySettingsWrong, StoredAccount, open_account
from kameng_settlement.payments.calling import call
from kameng_settlement.payments.errors import GatewaysUnreachable, NoWayToPay, PaymentOver
from kameng_settlement.payments.records import (
    OPEN_STATES,
    StoredAttempt,
    StoredPayment,
    attempt_of,
    new_number,
    note_history,
    payment_changed,
    payment_of,
    short,
)
from kameng_settlement.payments.routing import Wanted, enabled_accounts, fitting, in_order
from kameng_settlement.payments.statements import (
    ADD_ATTEMPT,
    ATTEMPT_BY_NUMBER,
    ATTEMPT_STARTED,
    ATTEMPT_UNKNOWN,
    END_ATTEMPT,
    LOCK_PAYMENT,
    MOVE_PAYMENT,
    OPEN_ATTEMPTS,
)
from kameng_settlement.settings import SettlementSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

TRIES: Final = 3
"""Accounts that are tried for one request of a payer."""

FIRST_ASK: Final = timedelta(seconds=10)
"""How long after its beginning a gateway is first asked what became of an attempt."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """How a payer wants to pay.

    Attributes:
        gateway, flow: one of the ways that were offered.
        method, return_url, client_ip, payer_reference, locale: see `PaymentRequest`.
    """

    gateway: str
    flow: Flow
    method: str = ""
    return_url: str = ""
    client_ip: str = ""
    payer_reference: str = ""
    locale: str = "zh-CN"


def wanted(kernel: Kernel, payment: StoredPayment) -> Wanted:
    """What an account has to fit to take a payment."""
    settings = kernel.settings.section("settlement", SettlementSettings)
    return Wanted(
        amount=payment.amount,
        purpose=payment.purpose,
        payer_kind=payment.payer_kind,
        site=payment.site,
        manual_from_minor=settings.manual_from_minor,
    )


async def start(kernel: Kernel, payment: StoredPayment, choice: Choice) -> StoredAttempt:
    """Begin to pay; what the payer goes on with is the attempt's `answer`. The same choice again gives the same attempt.

    Raises:
        PaymentOver: it was paid, has expired or was closed.
        NoWayToPay: no account takes it in this way.
        GatewaysUnreachable: none of those that do can be used at the moment.
        InsufficientFunds: it is to be paid from a wallet that holds less.
    """
    check_open(payment)
    accounts = [
        account
        for account, flows in fitting(await enabled_accounts(kernel), wanted(kernel, payment))
        if account.gateway == choice.gateway and choice.flow in flows
    ]
    if not accounts:
        raise NoWayToPay(
            "This cannot be paid in this way.",
            cure="Choose one of the ways that are offered.",
            path=("input", "gateway"),
        )
    if choice.flow is Flow.BALANCE:
        from kameng_settlement.payments.balance import pay_from_wallet  # which observes, and so knows of this

        return await pay_from_wallet(kernel, payment, accounts[0])
    again = await _same(kernel, payment, choice, accounts)
    if again is not None:
        return again
    for account in in_order(accounts, payment.amount_minor)[:TRIES]:
        attempt = await _attempt(kernel, payment, choice, account)
        if attempt is not None:
            return attempt
    raise GatewaysUnreachable(
        "This way to pay does not answer at the moment.", cure="Try again in a moment, or choose another way."
    )


def check_open(payment: StoredPayment) -> None:
    """Refuse what cannot be paid any more.

    Raises:
        PaymentOver: it was paid, has expired or was closed.
    """
    if payment.state not in OPEN_STATES or payment.expires_at <= datetime.now(UTC):
        raise PaymentOver("This payment is over.", cure="Look at its state; open another one if need be.")


async def _same(
    kernel: Kernel, payment: StoredPayment, choice: Choice, accounts: Sequence[StoredAccount]
) -> StoredAttempt | None:
    """An attempt of the same kind that is waiting and still has a while: a payer who reloads gets the same code."""
    soon = datetime.now(UTC) + timedelta(minutes=1)
    usable = {account.id for account in accounts}
    for attempt in map(attempt_of, await kernel.db.fetch(OPEN_ATTEMPTS, payment.id)):
        if (
            attempt.state == "WAITING"
            and attempt.account in usable
            and (attempt.flow, attempt.method) == (choice.flow.value, choice.method)
            and attempt.expires_at > soon
            # Parameters for an app are bound to whom they were made for.
            and choice.flow is not Flow.IN_APP
        ):
            return attempt
    return None


async def begin(
    kernel: Kernel, payment: StoredPayment, account: StoredAccount, flow: Flow, method: str, note: str = ""
) -> StoredAttempt:
    """Write an attempt down, in a transaction of its own or the one around.

    Raises:
        PaymentOver: the payment is over by now.
    """
    number = new_number("A")
    async with kernel.db.transaction():
        row = await kernel.db.fetchrow(LOCK_PAYMENT, payment.id)
        if row is None:
            raise NotFound("There is no such payment.", cure="Check its number.")
        now = payment_of(row)
        check_open(now)
        # Nobody asks about it while the call that makes it known may still be under way.
        later = timedelta(seconds=account.timeout_seconds) + FIRST_ASK
        await kernel.db.execute(
            ADD_ATTEMPT, new_id(), now.id, account.id, number, flow.value, method[:20], now.expires_at, later
        )
        if now.state == "CREATED":
            await kernel.db.execute(MOVE_PAYMENT, now.id, "PENDING")
            await note_history(kernel, now.id, now.state, "PENDING", f"gateway:{account.source}", note)
            payment_changed(kernel, now)
    return await attempt_by_number(kernel, number)


async def attempt_by_number(kernel: Kernel, number: str) -> StoredAttempt:
    """An attempt that exists."""
    row = await kernel.db.fetchrow(ATTEMPT_BY_NUMBER, number)
    if row is None:
        raise NotFound("There is no such attempt to pay.", cure="Check its number.")
    return attempt_of(row)


async def _attempt(
    kernel: Kernel, payment: StoredPayment, choice: Choice, account: StoredAccount
) -> StoredAttempt | None:
    """Try one account; None where it cannot be used."""
    try:
        found, opened = await open_account(kernel, account)
    except GatewaySettingsWrong:
        return None
    attempt = await begin(kernel, payment, account, choice.flow, choice.method)
    request = PaymentRequest(
        number=attempt.number,
        amount=payment.amount,
        subject=payment.memo or payment.number,
        flow=choice.flow,
        expires_at=attempt.expires_at,
        method=choice.method,
        return_url=choice.return_url,
        client_ip=choice.client_ip,
        payer_reference=choice.payer_reference,
        locale=choice.locale,
    )
    try:
        started = await call(kernel, account, "start", found.start(opened, request))
    except GatewayUnanswered as error:
        # The gateway may have it. The payer has not, so nobody pays it but by accident, and it is asked about.
        await kernel.db.execute(ATTEMPT_UNKNOWN, attempt.id, short(error.message))
        return None
    except GatewayError as error:
        await kernel.db.execute(END_ATTEMPT, attempt.id, "FAILED", short(error.message))
        return None
    return await _started(kernel, payment, attempt, started)


async def _started(
    kernel: Kernel, payment: StoredPayment, attempt: StoredAttempt, started: Started
) -> StoredAttempt:
    expires_at = min(attempt.expires_at, started.expires_at or attempt.expires_at)
    reference = (started.gateway_reference or "")[:120] or None
    await kernel.db.execute(
        ATTEMPT_STARTED, attempt.id, as_json(shown(started)), reference, expires_at, FIRST_ASK
    )
    payment_changed(kernel, payment)
    return await attempt_by_number(kernel, attempt.number)


def shown(started: Started) -> Mapping[str, Any]:
    """What the payer goes on with, as it is stored."""
    return {
        "qr": started.qr,
        "redirect_url": started.redirect_url,
        "form": dict(started.form),
        "params": dict(started.params),
    }


async def lock_payment(kernel: Kernel, key: UUID) -> StoredPayment:
    """A payment, locked until the transaction around ends.

    Raises:
        NotFound: there is no such payment.
    """
    row = await kernel.db.fetchrow(LOCK_PAYMENT, key)
    if row is None:
        raise NotFound("There is no such payment.", cure="Check its number.")
    return payment_of(row)
