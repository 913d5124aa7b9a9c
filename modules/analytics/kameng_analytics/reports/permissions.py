"""Who may do what with reports."""

from kameng.module import Permission

READ_FIGURES = "analytics.read_figures"
"""The permission to see the shop's figures."""

CLOSE_DAYS = Permission("analytics.close_days", "Close business days", "营业日关账")

EXPORT_REPORTS = Permission("analytics.export_reports", "Export reports to files", "导出经营报表")
"""They leave the shop with it."""
