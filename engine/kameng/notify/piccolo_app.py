"""The Piccolo app of the notifications."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.notify.tables import Message, Preference

APP_CONFIG = AppConfig(
    app_name="notify",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[Message, Preference],
    migration_dependencies=[],
)
