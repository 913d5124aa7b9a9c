"""The Piccolo app of tasks and schedules."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.tasks.tables import Schedule, TaskRow

APP_CONFIG = AppConfig(
    app_name="kernel_tasks",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[TaskRow, Schedule],
    migration_dependencies=[],
)
