"""A shop in web processes of its own, as `kameng serve` runs it, on the test run's PostgreSQL and Valkey."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from kameng.embedded.ports import free_port
from kameng.kernel import Kernel

PATIENCE = 120.0
"""Seconds after which a test gives up waiting; no measure of anything."""


@dataclass
class Server:
    """Running web processes.

    Attributes:
        url: where they answer.
        kernel: a kernel of this process on the same database, Valkey and keys, for preparing and looking.
        process: `kameng serve`.
        log: what it writes.
    """

    url: str
    kernel: Kernel
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    @contextmanager
    def started(
        cls, kernel: Kernel, folder: Path, *, processes: int, port: int | None = None, **environment: str
    ) -> Iterator[Server]:
        """Serve what a kernel has, until the block ends.

        Args:
            kernel: a running kernel.
            folder: where the log is written.
            processes: how many web processes.
            port: where they listen; None: at a free one.
            environment: more variables, such as settings.
        """
        engine, port, log = kernel.settings.engine, port or free_port(), folder / "serve.log"
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")},
            "DATABASE_URL": engine.database_url,
            "REDIS_URL": engine.redis_url,
            "KAMENG_KAMENG__DATA_DIR": str(kernel.settings.data_dir),
            "KAMENG_KAMENG__LOG_LEVEL": "warning",
            **environment,
        }
        command = [
            sys.executable,
            "-m",
            "kameng",
            "serve",
            "--port",
            str(port),
            "--processes",
            str(processes),
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=output)
        server = cls(f"http://127.0.0.1:{port}", kernel, process, log)
        try:
            server.wait_until_ready()
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)

    def wait_until_ready(self) -> None:
        """Ask until it answers."""
        end = time.monotonic() + PATIENCE
        while True:
            assert self.process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < end, self.log.read_text("utf-8")
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
