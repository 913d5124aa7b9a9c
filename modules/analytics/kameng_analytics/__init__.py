"""Analytics: figures that are live, from events alone, and reports that agree with the ledger."""

from kameng.module import Handler, Module, Permission, SchemaPart
from kameng_analytics.admin import AnalyticsQuery
from kameng_analytics.counting import count_orders
from kameng_analytics.reports import brings as reports
from kameng_analytics.reports.commands import reports as commands
from kameng_analytics.reports.graphql import ReportMutation
from kameng_analytics.reports.nodes import ADMIN_NODES
from kameng_analytics.reports.permissions import READ_FIGURES
from kameng_analytics.settings import AnalyticsSettings
from kameng_fulfilment.contract import OrderCompleted

module = Module(
    name="analytics",
    version="0.1.0",
    requires={"fulfilment": ">=0.1,<0.2"},
    settings=AnalyticsSettings,
    piccolo_app="kameng_analytics.piccolo_app",
    admin=SchemaPart(query=AnalyticsQuery, mutation=ReportMutation, nodes=ADMIN_NODES),
    needs=reports.NEEDS,
    handlers=(
        Handler(name="count_orders", event=OrderCompleted, call=count_orders, batch=True),
        *reports.HANDLERS,
    ),
    tasks=reports.TASKS,
    jobs=reports.JOBS,
    notifications=reports.NOTIFICATIONS,
    commands=(commands,),
    permissions=(Permission(READ_FIGURES, "See the shop's figures", "查看经营数据"), *reports.PERMISSIONS),
)
