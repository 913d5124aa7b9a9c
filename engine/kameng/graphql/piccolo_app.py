"""The Piccolo app of trusted documents and idempotent results."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.graphql.tables import IdempotentResult, TrustedDocument

APP_CONFIG = AppConfig(
    app_name="kernel_graphql",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[TrustedDocument, IdempotentResult],
    migration_dependencies=[],
)
