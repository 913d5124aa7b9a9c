"""What only some of the staff may do with orders."""

from kameng.module import Permission
from kameng_fulfilment.orders import READ_ORDERS

CONFIRM_PAYMENTS = "fulfilment.confirm_payments"
"""Say that money came in for an order."""

MANAGE_ORDERS = "fulfilment.manage_orders"
"""Call orders off and write notes to them."""

REFUND_ORDERS = "fulfilment.refund_orders"
"""Pay orders back."""

HOLD_ORDERS = "fulfilment.hold_orders"
"""Hold orders and let them go on."""

DELIVER_ORDERS = "fulfilment.deliver_orders"
"""Deliver lines by hand."""

SETTLE_TICKETS = "fulfilment.settle_tickets"
"""Replace or refund cards that are complained about, or turn complaints down."""

REVEAL_PARTICULARS = "fulfilment.reveal_particulars"
"""What buyers wrote and how guests are reached; each look stays in the audit log."""

READ_COSTS = "fulfilment.read_costs"
"""See what the lines of orders cost the shop."""

PERMISSIONS = (
    Permission(READ_ORDERS, "Read everybody's orders", "查看所有订单"),
    Permission(CONFIRM_PAYMENTS, "Confirm payments from outside by hand", "手工确认外部付款"),
    Permission(MANAGE_ORDERS, "Cancel orders and write notes to them", "取消订单和添加订单备注"),
    Permission(REFUND_ORDERS, "Refund orders", "订单退款"),
    Permission(HOLD_ORDERS, "Hold orders and release them", "挂起和放行订单"),
    Permission(DELIVER_ORDERS, "Deliver lines of orders by hand", "手工发货"),
    Permission(
        REVEAL_PARTICULARS,
        "See buyers' notes, invoice data and guests' contacts",
        "查看买家留言、发票信息和游客联系方式",
    ),
    Permission(READ_COSTS, "See what the lines of orders cost the shop", "查看订单成本"),
    Permission(SETTLE_TICKETS, "Settle tickets about cards", "处理卡密售后工单"),
)
"""All of them."""
