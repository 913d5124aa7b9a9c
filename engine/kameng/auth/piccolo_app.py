"""The Piccolo app of sessions and tokens."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.auth.tables import ApiToken, OneTimeToken, Session

APP_CONFIG = AppConfig(
    app_name="kernel_auth",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[Session, ApiToken, OneTimeToken],
    migration_dependencies=[],
)
