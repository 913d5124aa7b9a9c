"""The Piccolo app of the webhooks."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.webhooks.tables import Endpoint, EndpointSecret, WebhookAttempt, WebhookDelivery

APP_CONFIG = AppConfig(
    app_name="webhooks",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[Endpoint, EndpointSecret, WebhookDelivery, WebhookAttempt],
    migration_dependencies=[],
)
