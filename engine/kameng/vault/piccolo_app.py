"""The vault's Piccolo app."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.vault.tables import RegisteredMaster, WrappedKey

APP_CONFIG = AppConfig(
    app_name="kernel_vault",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[RegisteredMaster, WrappedKey],
)
