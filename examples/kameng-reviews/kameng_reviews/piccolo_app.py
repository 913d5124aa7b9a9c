"""The Piccolo app of reviews."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng_reviews.tables import TABLES

APP_CONFIG = AppConfig(
    app_name="reviews",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=TABLES,
    migration_dependencies=[],
)
