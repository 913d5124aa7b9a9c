"""Having an order paid from outside: what is left of it, until its stock is given back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from kameng.money import Money
from kameng_fulfilment.orders import StoredOrder
from kameng_fulfilment.states import WrongOrderState
from kameng_settlement.contract import OpenedPayment, PaymentDesk, PaymentDraft

if TYPE_CHECKING:
    from kameng.kernel import Kernel

ORDER: Final = "order"
"""The purpose of payments for orders."""


async def open_order_payment(kernel: Kernel, order: StoredOrder, actor: str) -> OpenedPayment:
    """Open a payment of what is left to pay of an order, or find the one that is open.

    Raises:
        WrongOrderState: the order does not wait for a payment, or does so no longer.
    """
    left = order.total_minor - order.received_minor
    until = order.reserved_until
    if order.state != "PENDING_PAYMENT" or order.payment != "OUTSIDE" or left <= 0:
        raise WrongOrderState(f"Order {order.number} does not wait for a payment.", cure="Look at its state.")
    if until is None or until <= datetime.now(UTC):
        raise WrongOrderState(
            f"The time to pay order {order.number} is over.", cure="Place the order once more."
        )
    return await kernel.services.get(PaymentDesk).open(
        PaymentDraft(
            # What came in counts: the rest after a part is another payment.
            key=f"{ORDER}:{order.id}:{order.member}:{order.received_minor}",
            purpose=ORDER,
            subject=order.id,
            payer=order.member,
            payer_kind=order.buyer_kind,
            amount=Money(left, order.currency),
            expires_at=until,
            site=order.site,
            memo=order.number,
            actor=actor,
        )
    )
