"""Filling a wallet by a gateway, and the bonus that comes with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput, NotFound
from kameng.ids import new_id
from kameng.money import Money, check_currency
from kameng_settlement.chart import PROMOTIONS, house, wallet_of
from kameng_settlement.ledger import Entry, Ledger, Transfer
from kameng_settlement.payments.desk import PaymentDraft
from kameng_settlement.payments.loading_statements import (
    ADD_BONUS,
    ADD_GRANT,
    FITTING_BONUSES,
    SET_BONUS_ENABLED,
)
from kameng_settlement.payments.opening import open_payment
from kameng_settlement.payments.records import StoredPayment
from kameng_settlement.payments.routing import TOP_UP
from kameng_settlement.payments.sites import site_of
from kameng_settlement.settings import SettlementSettings

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng.kernel import Kernel

BONUS: Final = "top_up_bonus"
"""The kind of ledger transaction that a bonus is."""


class BonusDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as somebody wants it; see the table."""

    name: str
    currency: str
    from_minor: int
    percent_ppm: int = 0
    fixed_minor: int = 0
    most_minor: int | None = None
    once_per_member: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None


async def open_top_up(context: Context, member: UUID, amount: Money, key: str) -> StoredPayment:
    """Open a payment that fills a member's wallet, once for each key.

    Raises:
        InvalidInput: the amount is too small or too large.
        Conflict: the key was used for something else.
    """
    settings = context.kernel.settings.section("settlement", SettlementSettings)
    if not settings.top_up_from_minor <= amount.minor <= settings.top_up_to_minor:
        least, most = (
            Money(minor, amount.currency).amount
            for minor in (settings.top_up_from_minor, settings.top_up_to_minor)
        )
        raise InvalidInput(
            f"A top-up is {least} to {most} {amount.currency}.",
            cure="Choose an amount in between.",
            path=("input", "amount", "amount"),
        )
    return await open_payment(
        context.kernel,
        PaymentDraft(
            key=f"{TOP_UP}:{member}:{key}",
            purpose=TOP_UP,
            subject=member,
            payer=member,
            amount=amount,
            expires_at=datetime.now(UTC) + timedelta(hours=settings.payment_hours),
            site=site_of(context),
            memo="top-up",
            actor=context.principal.key,
        ),
    )


async def grant_bonus(kernel: Kernel, payment: StoredPayment) -> int:
    """Give the best bonus that a paid top-up earns, in the transaction that takes it in; how much, in minor units.

    The wallet was locked when the money came in, so top-ups of one member take turns, and a rule that applies once is looked
    for only after the other's grant is to be seen. A unique index holds should that ever change.
    """
    row = await kernel.db.fetchrow(
        FITTING_BONUSES, payment.currency, payment.amount_minor, payment.payer, payment.created_at
    )
    if row is None:
        return 0
    given = int(row["given_minor"])
    ledger = kernel.services.get(Ledger)
    wallet, promotions = wallet_of(payment.payer, payment.currency), house(PROMOTIONS, payment.currency)
    accounts = await ledger.accounts.open((wallet, promotions))
    transfer = Transfer(accounts[promotions], accounts[wallet], given, payment.currency)
    entry = Entry(key=f"bonus:{payment.id}", kind=BONUS, memo=row["name"], transfers=(transfer,))
    posted = await ledger.post(entry)
    await kernel.db.execute(
        ADD_GRANT,
        payment.id,
        row["id"],
        payment.payer,
        given,
        row["once_per_member"],
        posted.transaction,
    )
    return given


async def add_bonus(context: Context, draft: BonusDraft) -> UUID:
    """Make a rule; returns its key. Rules are not changed: disable one and make another.

    Raises:
        InvalidInput: a value is unusable.
    """
    name = draft.name.strip()
    check_currency(draft.currency)
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput("A name has 1 to 100 plain characters.", path=("input", "name"))
    if draft.from_minor <= 0:
        raise InvalidInput("A bonus needs a smallest top-up above zero.", path=("input", "from"))
    if not 0 <= draft.percent_ppm <= 1_000_000 or draft.fixed_minor < 0:
        raise InvalidInput("A bonus is 0 to 100 %, and no less than zero.", path=("input", "percent"))
    if draft.percent_ppm + draft.fixed_minor == 0:
        raise InvalidInput("A bonus gives something.", path=("input", "percent"))
    if draft.most_minor is not None and draft.most_minor <= 0:
        raise InvalidInput("A bonus that gives nothing at most is none.", path=("input", "most"))
    starts = draft.starts_at or datetime.now(UTC)
    if draft.ends_at is not None and draft.ends_at <= starts:
        raise InvalidInput("A bonus ends after it starts.", path=("input", "endsAt"))
    key = new_id()
    async with context.db.transaction():
        await context.db.execute(
            ADD_BONUS,
            key,
            name,
            draft.currency,
            draft.from_minor,
            draft.percent_ppm,
            draft.fixed_minor,
            draft.most_minor,
            draft.once_per_member,
            starts,
            draft.ends_at,
        )
        await context.kernel.audit.record(
            "settlement.top_up_bonus_added",
            principal=context.principal,
            subject=f"top_up_bonus:{key}",
            details={
                "name": name,
                "currency": draft.currency,
                "from_minor": draft.from_minor,
                "percent_ppm": draft.percent_ppm,
                "fixed_minor": draft.fixed_minor,
                "most_minor": draft.most_minor,
                "once_per_member": draft.once_per_member,
            },
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return key


async def set_bonus_enabled(context: Context, key: UUID, *, enabled: bool) -> None:
    """Give this bonus from now on, or no more.

    Raises:
        NotFound: there is no such rule.
    """
    async with context.db.transaction():
        if await context.db.fetchval(SET_BONUS_ENABLED, key, enabled) is None:
            raise NotFound("There is no such bonus.", cure="Check its id.")
        await context.kernel.audit.record(
            f"settlement.top_up_bonus_{'enabled' if enabled else 'disabled'}",
            principal=context.principal,
            subject=f"top_up_bonus:{key}",
            correlation_id=context.correlation_id,
            address=context.address,
        )
