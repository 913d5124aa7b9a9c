"""What payments bring to the module's declaration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from kameng.graphql import Context
from kameng.module import Handler, Permission, Provide, Task
from kameng_settlement.payments.desk import PaymentDesk, TwoPersons
from kameng_settlement.payments.events import PaymentNeedsAttention, PaymentRefundSettled, PaymentSucceeded
from kameng_settlement.payments.finding import LedgerPaymentFinding
from kameng_settlement.payments.finding_contract import PaymentFinding
from kameng_settlement.payments.graphql.admin_types import ADMIN_NODES as PAYMENT_NODES
from kameng_settlement.payments.graphql.loading import batch_nodes, bonus_nodes
from kameng_settlement.payments.graphql.office import DeskAccount, DeskAttempt, DeskPayment
from kameng_settlement.payments.graphql.refund_verdicts import RefundForPeople
from kameng_settlement.payments.graphql.types import own_attempts, own_payments
from kameng_settlement.payments.notifying import payment_notification
from kameng_settlement.payments.permissions import (
    CONFIRM_TRANSFERS,
    MANAGE_GATEWAYS,
    MANAGE_GIFT_CARDS,
    MANAGE_TOP_UPS,
    READ_PAYMENTS,
    REFUND_PAYMENTS,
    REVEAL_GIFT_CARDS,
    SETTLE_REFUNDS,
)
from kameng_settlement.payments.polling import poll_payments
from kameng_settlement.payments.refunding import refund_payments
from kameng_settlement.payments.serving import LedgerPaymentDesk
from kameng_settlement.payments.telling import PAYMENT_ATTENTION, tell_payment_attention
from kameng_settlement.payments.two_persons import LedgerTwoPersons

Nodes: TypeAlias = Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]
"""How ``node(id:)`` finds the objects of a type."""

PROVIDES = (
    Provide(PaymentDesk, LedgerPaymentDesk),
    Provide(PaymentFinding, LedgerPaymentFinding),
    Provide(TwoPersons, LedgerTwoPersons),
)
EVENTS = (PaymentSucceeded, PaymentRefundSettled, PaymentNeedsAttention)
TASKS = (
    Task(name="poll_payments", call=poll_payments, every=timedelta(seconds=10)),
    Task(name="refund_payments", call=refund_payments, every=timedelta(seconds=15)),
)
HANDLERS = (Handler(name="tell_payment_attention", event=PaymentNeedsAttention, call=tell_payment_attention),)
NOTIFICATIONS = (PAYMENT_ATTENTION,)
ROUTES = (payment_notification,)
PERMISSIONS = (
    Permission(READ_PAYMENTS, "See payments, refunds and what gateways said", "查看支付、退款与网关通知"),
    Permission(MANAGE_GATEWAYS, "Manage merchant accounts with gateways", "管理支付网关商户账户"),
    Permission(REFUND_PAYMENTS, "Refund payments through their gateways", "通过支付网关退款"),
    Permission(SETTLE_REFUNDS, "Say what became of refunds that cannot be asked about", "人工确认退款结果"),
    Permission(CONFIRM_TRANSFERS, "Confirm transfers that came in", "确认人工转账到账"),
    Permission(MANAGE_TOP_UPS, "Manage bonuses on top-ups", "管理充值赠送规则"),
    Permission(MANAGE_GIFT_CARDS, "Make and void gift cards", "制作与作废礼品卡"),
    Permission(REVEAL_GIFT_CARDS, "See the codes of gift cards", "查看礼品卡卡密"),
)

SHOP_NODES: Mapping[str, Nodes] = {"Payment": own_payments, "PaymentAttempt": own_attempts}
ADMIN_NODES: Mapping[str, Nodes] = {**PAYMENT_NODES, "TopUpBonus": bonus_nodes, "GiftCardBatch": batch_nodes}
ADMIN_EXTEND = {
    "Payment": DeskPayment,
    "PaymentAttempt": DeskAttempt,
    "PaymentRefund": RefundForPeople,
    "MerchantAccount": DeskAccount,
}
