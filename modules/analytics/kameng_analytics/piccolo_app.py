"""The Piccolo app of analytics."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng_analytics.reports.tables import TABLES as REPORTS
from kameng_analytics.tables import TABLES

APP_CONFIG = AppConfig(
    app_name="analytics",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[*TABLES, *REPORTS],
    migration_dependencies=[],
)
