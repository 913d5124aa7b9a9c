"""Fulfilment: orders placed, paid and delivered, each exactly once."""

from datetime import timedelta

from kameng.module import Handler, Module, Permission, Provide, SchemaPart, Task
from kameng_catalog.contract import CardsImported, Finding, Prices, Sites, Stock, Variants
from kameng_fulfilment.admin import HistoryActor, OfficeOrderLine, OrderBuyer, TicketPlace
from kameng_fulfilment.cart.changing import CartChanges
from kameng_fulfilment.cart.expiring import expire_carts
from kameng_fulfilment.contract import (
    Deliveries,
    LineCostChanged,
    OrderCancelled,
    OrderCompleted,
    OrderExpired,
    OrderHeld,
    OrderLineDelivered,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReleased,
    OrderWasClaimed,
    Payments,
)
from kameng_fulfilment.costs.recording import cost_completed, cost_delivered
from kameng_fulfilment.delivering import OrderDeliveries, deliver_after_import, deliver_waiting
from kameng_fulfilment.dossier.remedies import REVEAL_DELIVERED
from kameng_fulfilment.exceptions import refund_failed
from kameng_fulfilment.figures import StoredFigures
from kameng_fulfilment.figures_contract import OrderFigures
from kameng_fulfilment.finding.exporting import EXPORT_JOB, EXPORT_ORDERS
from kameng_fulfilment.flash.admin import flash_sale_nodes
from kameng_fulfilment.flash.known import KnownSales
from kameng_fulfilment.flash.planning import MANAGE_FLASH_SALES
from kameng_fulfilment.guests.mailing import LINK, mail_order_link
from kameng_fulfilment.life_types import ticket_nodes
from kameng_fulfilment.live import FulfilmentSubscription
from kameng_fulfilment.offering import OfferedVariant
from kameng_fulfilment.online import brings as online
from kameng_fulfilment.paying import OrderPayments
from kameng_fulfilment.permissions import PERMISSIONS
from kameng_fulfilment.personal_data import PERSONAL_DATA
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.roots import AdminMutation, AdminQuery, ShopMutation, ShopQuery
from kameng_fulfilment.service_desk import brings as serving
from kameng_fulfilment.service_desk.graphql import service_nodes
from kameng_fulfilment.services import Orders, close_desk, open_desk
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.shop import BoughtCards, MemberOrders, OwnTicket, order_nodes
from kameng_fulfilment.suppliers import brings as supplying
from kameng_fulfilment.suppliers.graphql_nodes import NODES as SUPPLIER_NODES
from kameng_fulfilment.telling import COMPLETED, REFUNDED, tell_completed, tell_refunded
from kameng_fulfilment.unpaid import expire_unpaid
from kameng_fulfilment.views.graphql import view_nodes
from kameng_membership.contract import Members, PersonalData
from kameng_settlement.contract import Charging, PaymentFinding, Receipts, WalletMoves

module = Module(
    name="fulfilment",
    version="0.1.0",
    requires={"catalog": ">=0.1,<0.2", "membership": ">=0.1,<0.2", "settlement": ">=0.1,<0.2"},
    settings=FulfilmentSettings,
    piccolo_app="kameng_fulfilment.piccolo_app",
    shop=SchemaPart(
        query=ShopQuery,
        mutation=ShopMutation,
        subscription=FulfilmentSubscription,
        extend={
            "Member": MemberOrders,
            "OrderLine": BoughtCards,
            "Variant": OfferedVariant,
            "Ticket": OwnTicket,
        },
        nodes={"Order": order_nodes, "Ticket": ticket_nodes},
    ),
    admin=SchemaPart(
        query=AdminQuery,
        mutation=AdminMutation,
        extend={
            "Order": OrderBuyer,
            "OrderLine": OfficeOrderLine,
            "OrderHistoryEntry": HistoryActor,
            "Ticket": TicketPlace,
        },
        nodes={
            "Order": order_nodes,
            "Ticket": ticket_nodes,
            "FlashSale": flash_sale_nodes,
            "Service": service_nodes,
            "SavedView": view_nodes,
            **SUPPLIER_NODES,
        },
    ),
    provides=(
        Provide(CartChanges, CartChanges),
        Provide(KnownSales, KnownSales),
        Provide(Orders, open_desk),
        Provide(OrderReads, OrderReads),
        Provide(OrderFigures, StoredFigures),
        Provide(Payments, OrderPayments),
        Provide(Deliveries, OrderDeliveries),
        *supplying.PROVIDES,
    ),
    needs=(Variants, Finding, Prices, Sites, Stock, Members, Charging, Receipts, PaymentFinding, WalletMoves),
    events=(
        OrderCompleted,
        OrderPlaced,
        OrderPaid,
        OrderLineDelivered,
        LineCostChanged,
        OrderRefunded,
        OrderCancelled,
        OrderExpired,
        OrderHeld,
        OrderReleased,
        OrderWasClaimed,
        *serving.EVENTS,
        *supplying.EVENTS,
    ),
    contributes={PersonalData: PERSONAL_DATA},
    handlers=(
        Handler(name="deliver_after_import", event=CardsImported, call=deliver_after_import),
        Handler(name="tell_completed", event=OrderCompleted, call=tell_completed, batch=True),
        Handler(name="tell_refunded", event=OrderRefunded, call=tell_refunded, batch=True),
        Handler(name="cost_completed", event=OrderCompleted, call=cost_completed, batch=True),
        Handler(name="cost_delivered", event=OrderLineDelivered, call=cost_delivered, batch=True),
        *online.HANDLERS,
        *serving.HANDLERS,
        *supplying.HANDLERS,
    ),
    tasks=(
        Task(name="mail_order_link", call=mail_order_link),
        Task(name="expire_carts", call=expire_carts, every=timedelta(hours=1)),
        Task(name="expire_unpaid", call=expire_unpaid, every=timedelta(seconds=20)),
        Task(name="deliver_waiting", call=deliver_waiting, every=timedelta(minutes=1)),
        Task(name="refund_failed", call=refund_failed, every=timedelta(minutes=1)),
        *serving.TASKS,
        *supplying.TASKS,
    ),
    jobs=(EXPORT_JOB,),
    notifications=(COMPLETED, REFUNDED, LINK),
    routes=supplying.ROUTES,
    permissions=(
        *serving.PERMISSIONS,
        *supplying.PERMISSIONS,
        *PERMISSIONS,
        EXPORT_ORDERS,
        REVEAL_DELIVERED,
        Permission(MANAGE_FLASH_SALES, "Plan and end flash sales", "安排和结束限时抢购"),
    ),
    on_stop=close_desk,
)
