"""What a worker's process of the kill tests runs."""

from kameng.logs import configure_logs
from kameng.settings import read_settings
from kameng.tasks import run_worker
from tests.engine.jobs.sample import module


def run(environment: dict[str, str]) -> None:
    """Be a worker with its relay until killed."""
    settings = read_settings(environ=environment)
    configure_logs(settings.engine, "worker")
    run_worker(settings, modules=[module()])
