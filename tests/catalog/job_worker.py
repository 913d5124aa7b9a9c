"""Worker processes to kill, with the catalogue alone."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerProcess

from kameng.kernel import Kernel
from kameng.logs import configure_logs
from kameng.settings import read_settings
from kameng.tasks import run_worker


def run(environment: dict[str, str]) -> None:
    """Be a worker with its relay until killed."""
    settings = read_settings(environ=environment)
    configure_logs(settings.engine, "worker")
    run_worker(settings)


class Workers:
    """Workers on the services of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        engine = kernel.settings.engine
        self._environment = {
            "DATABASE_URL": engine.database_url,
            "REDIS_URL": engine.redis_url,
            "KAMENG_KAMENG__DATA_DIR": str(kernel.settings.data_dir),
            "KAMENG_KAMENG__LOG_LEVEL": "error",
            "KAMENG_MODULES__ENABLED": '["catalog"]',
            "KAMENG_TASKS__LEASE_SECONDS": "1",
            "KAMENG_JOBS__LEASE_SECONDS": "1",
        }
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.catalog.job_worker", "kameng.kernel", "kameng_catalog"])
        self._running: list[ForkServerProcess] = []

    def start(self) -> None:
        """Start another worker."""
        worker = self._context.Process(target=run, args=(self._environment,), daemon=True)
        worker.start()
        self._running.append(worker)

    def kill(self) -> None:
        """Kill the oldest, and start another."""
        worker = self._running.pop(0)
        worker.kill()
        worker.join()
        self.start()

    def stop(self) -> None:
        """Kill all that are left."""
        for worker in self._running:
            worker.kill()
            worker.join()
