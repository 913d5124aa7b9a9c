"""Analytics: figures that are live, from events alone, and reports that agree with the ledger."""

from kameng.module import Handler, Module, Permission, SchemaPart
from kameng_analytics.admin import READ_FIGURES, AnalyticsQuery
from kameng_analytics.counting import count_orders
from kameng_analytics.reports import brings as reports
from kameng_analytics.settings import AnalyticsSettings
from kameng_fulfilment.contract import OrderCompleted

module = Module(
    name="analytics",
    version="0.1.0",
    requires={"fulfilment": ">=0.1,<0.2"},
    settings=AnalyticsSettings,
    piccolo_app="kameng_analytics.piccolo_app",
    admin=SchemaPart(query=AnalyticsQuery),
    needs=reports.NEEDS,
    handlers=(
        Handler(name="count_orders", event=OrderCompleted, call=count_orders, batch=True),
        *reports.HANDLERS,
    ),
    tasks=reports.TASKS,
    notifications=reports.NOTIFICATIONS,
    permissions=(Permission(READ_FIGURES, "See the shop's figures", "查看经营数据"), *reports.PERMISSIONS),
)
