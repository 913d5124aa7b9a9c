"""What gateways took in for orders, made to count; payments of orders that nobody waits for are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from kameng.errors import Refusal
from kameng.money import Money
from kameng_fulfilment.contract import PaymentOutcome, Payments
from kameng_fulfilment.events import OrderCancelled, OrderExpired
from kameng_fulfilment.online.asking import ORDER
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_settlement.contract import PaymentDesk, PaymentSucceeded

if TYPE_CHECKING:
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)


async def take_payment(kernel: Kernel, event: PaymentSucceeded) -> None:
    """A payment for an order has succeeded: take it in and deliver, or do with it what the rule says.

    The money is the buyer's in either case: it is in the wallet before this runs.
    """
    if event.purpose != ORDER:
        return
    amount = Money(event.amount_minor, event.currency)
    taken = await kernel.services.get(Payments).paid(
        UUID(event.subject),
        amount,
        event.source,
        event.reference,
        f"payment:{event.number}",
        UUID(event.payer),
    )
    if not taken.fresh or taken.outcome is not PaymentOutcome.CREDITED:
        return
    rule = kernel.settings.section("fulfilment", FulfilmentSettings).unfulfillable
    if rule == "refund" or event.payer_kind == "guest":
        await _send_back(kernel, event, amount)


async def _send_back(kernel: Kernel, event: PaymentSucceeded, amount: Money) -> None:
    try:
        async with kernel.db.transaction():
            await kernel.services.get(PaymentDesk).refund(
                UUID(event.payment),
                amount,
                key=f"unfulfillable:{event.payment}",
                reason="the order could not be fulfilled",
                actor="system",
            )
    except Refusal as refusal:
        # Its gateway gives nothing back, or the money is spent already: it stays what it is, the buyer's.
        log.info("a payment stays in the wallet", payment=event.payment, reason=refusal.code)


async def close_payments(kernel: Kernel, event: OrderCancelled | OrderExpired) -> None:
    """Nobody waits for this order's payment any more: have its payments closed at their gateways."""
    await kernel.services.get(PaymentDesk).close_for(ORDER, UUID(event.order), "system", "the order is over")
