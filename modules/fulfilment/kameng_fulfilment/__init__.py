"""Fulfilment: orders placed, paid and delivered, each exactly once."""

from kameng.module import Module, Permission, Provide, SchemaPart
from kameng_catalog.contract import Prices, Stock, Variants
from kameng_fulfilment.admin import FulfilmentAdminQuery, OrderBuyer
from kameng_fulfilment.events import OrderCompleted
from kameng_fulfilment.live import FulfilmentSubscription
from kameng_fulfilment.orders import READ_ORDERS
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.services import Orders, close_desk, open_desk
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.shop import BoughtCards, FulfilmentMutation, FulfilmentQuery, MemberOrders, order_nodes
from kameng_membership.contract import Members
from kameng_settlement.contract import Charging

module = Module(
    name="fulfilment",
    version="0.1.0",
    requires={"catalog": ">=0.1,<0.2", "membership": ">=0.1,<0.2", "settlement": ">=0.1,<0.2"},
    settings=FulfilmentSettings,
    piccolo_app="kameng_fulfilment.piccolo_app",
    shop=SchemaPart(
        query=FulfilmentQuery,
        mutation=FulfilmentMutation,
        subscription=FulfilmentSubscription,
        extend={"Member": MemberOrders, "OrderLine": BoughtCards},
        nodes={"Order": order_nodes},
    ),
    admin=SchemaPart(query=FulfilmentAdminQuery, extend={"Order": OrderBuyer}, nodes={"Order": order_nodes}),
    provides=(Provide(Orders, open_desk), Provide(OrderReads, OrderReads)),
    needs=(Variants, Prices, Stock, Members, Charging),
    events=(OrderCompleted,),
    permissions=(Permission(READ_ORDERS, "Read everybody's orders", "查看所有订单"),),
    on_stop=close_desk,
)
