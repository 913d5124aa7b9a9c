"""Analytics: figures that are live, from events alone."""

from kameng.module import Handler, Module, Permission, SchemaPart
from kameng_analytics.admin import READ_FIGURES, AnalyticsQuery
from kameng_analytics.counting import count_orders
from kameng_analytics.settings import AnalyticsSettings
from kameng_fulfilment.contract import OrderCompleted

module = Module(
    name="analytics",
    version="0.1.0",
    requires={"fulfilment": ">=0.1,<0.2"},
    settings=AnalyticsSettings,
    piccolo_app="kameng_analytics.piccolo_app",
    admin=SchemaPart(query=AnalyticsQuery),
    handlers=(Handler(name="count_orders", event=OrderCompleted, call=count_orders, batch=True),),
    permissions=(Permission(READ_FIGURES, "See the shop's figures", "查看经营数据"),),
)
