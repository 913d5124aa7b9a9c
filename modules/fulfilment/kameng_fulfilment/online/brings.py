"""What payments of orders bring to the module's declaration."""

from kameng.module import Handler
from kameng_fulfilment.events import OrderCancelled, OrderExpired
from kameng_fulfilment.online.taking import close_payments, take_payment
from kameng_settlement.contract import PaymentSucceeded

HANDLERS = (
    Handler(name="take_payment", event=PaymentSucceeded, call=take_payment),
    Handler(name="close_cancelled", event=OrderCancelled, call=close_payments),
    Handler(name="close_expired", event=OrderExpired, call=close_payments),
)
