"""Telling the staff of payments and refunds that a person should look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.module import NotificationKind
from kameng.money import Money
from kameng.notify import Notifications
from kameng_settlement.payments.permissions import READ_PAYMENTS

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_settlement.payments.events import PaymentNeedsAttention

PAYMENT_ATTENTION = NotificationKind(
    name="payment_attention",
    title_en="A payment needs attention",
    title_zh="有支付需要人工处理",
    templates="kameng_settlement:notifications",
    staff=READ_PAYMENTS,
)


async def tell_payment_attention(kernel: Kernel, event: PaymentNeedsAttention) -> None:
    """Tell whoever may see payments, once for each thing that is wrong with a payment, refund or number at an account."""
    notifications = kernel.services.find(Notifications)
    if notifications is None:
        return
    amount = ""
    if event.amount_minor is not None and event.currency is not None:
        amount = f"{Money(event.amount_minor, event.currency).amount:f} {event.currency}"
    await notifications.tell_staff(
        "settlement.payment_attention",
        f"{event.account}:{event.number}:{event.outcome}:{event.amount_minor}",
        {
            "account": event.account,
            "number": event.number,
            "outcome": event.outcome,
            "amount": amount,
            "known": event.payment is not None,
            "url": f"{kernel.settings.public_url}/admin",
        },
    )
