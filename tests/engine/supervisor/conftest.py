"""A supervisor in a process of its own, and eyes on what it runs."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

DRIVER = """
import json, signal, sys
from pathlib import Path
from kameng.supervisor import Patience, ProcessSpec, Supervisor

given = json.loads(sys.argv[1])
specs = []
for spec in given["specs"]:
    if "ready_file" in spec:
        spec["ready"] = Path(spec.pop("ready_file")).exists
    if "reload_signal" in spec:
        spec["reload_signal"] = signal.Signals[spec["reload_signal"]]
    specs.append(ProcessSpec(**spec))
supervisor = Supervisor(
    specs, on_ready=lambda: print("ALL READY", flush=True), patience=Patience(**given["patience"])
)
sys.exit(supervisor.run())
"""


class Running:
    """A supervisor that runs, as seen from outside."""

    def __init__(self, specs: list[dict[str, Any]], patience: dict[str, float], mark: str) -> None:
        self._mark = mark
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, json.dumps({"specs": specs, "patience": patience})],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "MARK": mark},
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true."""
        for _ in range(1500):
            if condition():
                return
            time.sleep(0.02)
        pytest.fail("it never came true; the output was:\n" + "\n".join(self.lines))

    def until_line(self, text: str, times: int = 1) -> None:
        """Wait until a line has been written that holds a text."""
        self.until(lambda: sum(text in line for line in self.lines) >= times)

    def send(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the supervisor's end, and give its exit status."""
        status = self.process.wait(60)
        self._reader.join(60)
        return status

    def family(self) -> list[psutil.Process]:
        """Everything that the supervisor has started, itself excepted, orphans included."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE or process.pid == self.process.pid:
                    continue
                if process.environ().get("MARK") == self._mark:
                    found.append(process)
        return found

    def pid_of(self, name: str) -> int:
        """The process that last said ``NAME is PID``."""
        said = [line for line in self.lines if f"{name} is " in line]
        return int(said[-1].rsplit(" ", 1)[1])


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts supervisors; nothing of them survives the test."""
    started: list[Running] = []

    def start(*specs: dict[str, Any], **patience: float) -> Running:
        running = Running(list(specs), patience, f"{tmp_path}-{len(started)}")
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
        for process in running.family():
            with suppress(psutil.Error):
                process.kill()
        running.end()
        assert running.process.stdout is not None
        running.process.stdout.close()


def python(code: str) -> list[str]:
    """The command that runs some Python code."""
    return [sys.executable, "-c", code]


@pytest.fixture
def worker() -> Callable[..., dict[str, Any]]:
    """Describes a process that says its number, and ends properly on SIGTERM."""

    def describe(name: str, body: str = "", **more: object) -> dict[str, Any]:
        code = f"""if True:
            import os, signal, subprocess, sys, time

            def end(*_):
                print("{name} ends properly")
                sys.exit(0)

            signal.signal(signal.SIGTERM, end)
            print("{name} is", os.getpid())
            {body}
            while True:
                time.sleep(60)
            """
        return {"name": name, "command": python(code), **more}

    return describe
