"""The Piccolo app of sites."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.sites.tables import LookVersion, SiteHost, SiteRow

APP_CONFIG = AppConfig(
    app_name="sites",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[SiteRow, SiteHost, LookVersion],
    migration_dependencies=[],
)
