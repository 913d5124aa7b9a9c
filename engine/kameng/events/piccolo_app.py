"""The Piccolo app of the outbox."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.events.tables import Delivery, OutboxEvent, StandingSubscription

APP_CONFIG = AppConfig(
    app_name="kernel_events",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[OutboxEvent, Delivery, StandingSubscription],
    migration_dependencies=[],
)
