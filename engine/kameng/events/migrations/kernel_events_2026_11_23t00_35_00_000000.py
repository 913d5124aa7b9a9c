from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Text
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-23T00:35:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Standing subscriptions of observers"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="kernel_events", description=DESCRIPTION)

    manager.add_table(
        class_name="StandingSubscription",
        tablename="kernel_subscription",
        schema=None,
        columns=None,
    )

    manager.add_column(
        table_class_name="StandingSubscription",
        tablename="kernel_subscription",
        column_name="topic",
        db_column_name="topic",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": None,
            "null": False,
            "primary_key": True,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="StandingSubscription",
        tablename="kernel_subscription",
        column_name="handler",
        db_column_name="handler",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": None,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    return manager
