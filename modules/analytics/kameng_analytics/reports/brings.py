"""What analytics' declaration holds of reports."""

from datetime import timedelta

from kameng.module import Handler, NotificationKind, Permission, Task
from kameng_analytics.reports.booking import report_changed, report_completed, report_fees
from kameng_analytics.reports.checking import REPORTS_DIFFER, check_reports
from kameng_analytics.reports.gathering import gather_day, gather_recent
from kameng_analytics.reports.job import EXPORT_JOB
from kameng_analytics.reports.permissions import CLOSE_DAYS, EXPORT_REPORTS
from kameng_catalog.shelves_contract import Shelves
from kameng_fulfilment.contract import (
    LineCostChanged,
    OrderCompleted,
    OrderLineDelivered,
    OrderPaid,
    OrderRefunded,
)
from kameng_fulfilment.figures_contract import OrderFigures
from kameng_membership.contract import Members
from kameng_settlement.contract import PaymentSucceeded
from kameng_settlement.figures_contract import LedgerFigures

NEEDS = (Shelves, Members, LedgerFigures, OrderFigures)

HANDLERS = (
    Handler(name="report_completed", event=OrderCompleted, call=report_completed, batch=True),
    Handler(name="report_paid", event=OrderPaid, call=report_changed, batch=True),
    Handler(name="report_delivered", event=OrderLineDelivered, call=report_changed, batch=True),
    Handler(name="report_refunded", event=OrderRefunded, call=report_changed, batch=True),
    Handler(name="report_costs", event=LineCostChanged, call=report_changed, batch=True),
    Handler(name="report_fees", event=PaymentSucceeded, call=report_fees, batch=True),
)

TASKS = (
    Task(name="gather_recent", call=gather_recent, every=timedelta(seconds=20)),
    Task(name="gather_day", call=gather_day, every=timedelta(hours=1)),
    Task(name="check_reports", call=check_reports, every=timedelta(hours=1)),
)

NOTIFICATIONS: tuple[NotificationKind, ...] = (REPORTS_DIFFER,)

PERMISSIONS: tuple[Permission, ...] = (CLOSE_DAYS, EXPORT_REPORTS)

JOBS = (EXPORT_JOB,)
