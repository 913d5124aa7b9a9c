"""A shop of a clean environment, in processes of its own, as its operator starts and stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil

from kameng.embedded.ports import free_port

from .environment import CleanEnvironment

PATIENCE = 120.0
"""Seconds after which a test gives up waiting; no measure of anything."""


@dataclass
class RunningShop:
    """A started shop.

    Attributes:
        url: where it answers.
        process: `kameng dev`.
        log: the file that it writes to.
        status: the exit code, once it has been stopped.
        left: processes that were still there after it ended.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    status: int | None = None
    left: tuple[psutil.Process, ...] = ()

    @classmethod
    @contextmanager
    def started(cls, environment: CleanEnvironment, folder: Path) -> Iterator[RunningShop]:
        """Start `kameng dev` in a folder and wait until it says that it is ready; stop it at the end."""
        port, log = free_port(), folder / "dev.log"
        variables = environment.variables(PORT=str(port))
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(environment.kameng), "dev"],
                cwd=folder,
                env=variables,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        shop = cls(f"http://127.0.0.1:{port}", process, log)
        try:
            shop.wait_for(lambda: "Kameng is ready" in log.read_text("utf-8"))
            yield shop
        finally:
            if process.poll() is None:
                shop.stop()

    def stop(self) -> None:
        """Press Ctrl-C, and see what is left of the processes that there were."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        try:
            self.status = self.process.wait(PATIENCE)
        finally:
            self.left = tuple(child for child in children if child.is_running())
            for child in (
                *self.left,
                self.process,
            ):  # whatever a failing test leaves would disturb the others
                if isinstance(child, subprocess.Popen) and child.poll() is not None:
                    continue
                child.kill()

    def wait_for(self, what: Any) -> Any:
        """Ask until the answer is something, for as long as the shop runs."""
        end = time.monotonic() + PATIENCE
        while not (found := what()):
            assert self.process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < end, self.log.read_text("utf-8")
            time.sleep(0.1)
        return found

    def setup_token(self) -> str:
        """The token of the one-time link for the first administrator, as it was printed."""
        found = re.search(r"/admin/setup\?token=(\S+)", self.log.read_text("utf-8"))
        assert found, self.log.read_text("utf-8")
        return found[1]

    def ask(self, schema: str, source: str, variables: dict[str, Any] | None = None, token: str = "") -> Any:
        """The data of an answer over HTTP, which must have no errors."""
        headers = {"accept-language": "en", "idempotency-key": str(uuid4())}
        if token:
            headers["authorization"] = f"Bearer {token}"
        answer = httpx.post(
            f"{self.url}/graphql/{schema}",
            json={"query": source, "variables": variables or {}},
            headers=headers,
            timeout=PATIENCE,
        ).json()
        assert not answer.get("errors"), answer
        return answer["data"]

    def page(self, path: str) -> str:
        """A page's HTML."""
        response = httpx.get(f"{self.url}{path}", headers={"accept-language": "en"}, timeout=PATIENCE)
        assert response.status_code == 200, response.text
        return response.text


def processes_with(text: str) -> list[str]:
    """Command lines of all processes that name something, such as a folder; ours not among them."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if text in line and process.pid != os.getpid():
            found.append(line)
    return found
