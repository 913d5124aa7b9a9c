"""The audit log's Piccolo app."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.audit.tables import AuditRow, ChainHead, ChainLink, PendingRow

APP_CONFIG = AppConfig(
    app_name="kernel_audit",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[AuditRow, PendingRow, ChainLink, ChainHead],
)
