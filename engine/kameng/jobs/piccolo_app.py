"""The Piccolo app of jobs."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng.jobs.tables import JobChangeRow, JobFileRow, JobPieceRow, JobRow

APP_CONFIG = AppConfig(
    app_name="kernel_jobs",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[JobRow, JobFileRow, JobPieceRow, JobChangeRow],
    migration_dependencies=[],
)
