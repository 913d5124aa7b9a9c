"""Prepared data folders, so that not every test creates a PostgreSQL from nothing."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from kameng.embedded import EmbeddedPostgres

ENGINE = Path(__file__).parents[3] / "engine"
VERSION = "import sys; print(sys.version_info[:2])"
VERSION_WANTED = str(sys.version_info[:2])


def roomy() -> Path:
    """Where copies of a database are quick: in memory, if there is enough of it."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 2_000_000_000:
        return memory
    return Path(tempfile.gettempdir())


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a short path that other accounts can pass through."""
    made = Path(tempfile.mkdtemp(prefix="kt-", dir=roomy()))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """A data folder that was used before; each test leaves it in working order."""
    made = Path(tempfile.mkdtemp(prefix="kt-", dir=roomy()))
    made.chmod(0o755)
    with EmbeddedPostgres(made / "postgres"):
        pass
    yield made / "postgres"
    shutil.rmtree(made)


@pytest.fixture
def copy_of_postgres(postgres_folder: Path) -> Callable[[Path], Path]:
    """Copies it, owners included, for a test that does it harm."""

    def copy(target: Path) -> Path:
        subprocess.run(["cp", "-a", postgres_folder, target], check=True)
        return target

    return copy


@pytest.fixture
def script() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Runs Python code in a process of its own; whatever is left of it is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def run(code: str, *words: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def plain_python() -> Callable[[str, Path], subprocess.CompletedProcess[str]]:
    """Runs Python code as a plain user, whatever account the tests run as."""
    if os.geteuid() != 0:
        return lambda code, folder: run_python([sys.executable], code, folder, {})
    # Our own interpreter may lie where only root can go.
    options = {"user": 65534, "group": 65534, "extra_groups": []}
    for name in dict.fromkeys([sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"]):
        with suppress(OSError):
            version = subprocess.run([name, "-c", VERSION], capture_output=True, text=True, **options)
            if version.stdout.strip() == VERSION_WANTED:
                return lambda code, folder: run_python([name], code, folder, options)
    pytest.skip("no Python that a plain user may run")


def run_python(
    python: list[str], code: str, folder: Path, options: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ENGINE), str(Path(psutil.__file__).parents[1])])
    environment = {"PATH": os.defpath, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*python, "-c", code, folder], capture_output=True, text=True, cwd="/", env=environment, **options
    )


def processes_in(folder: Path) -> list[psutil.Process]:
    """All processes whose working folder lies in this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture
def live_in() -> Callable[[Path], list[psutil.Process]]:
    """Finds the processes that work in a folder."""
    return processes_in


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is true."""

    def wait(condition: Callable[[], bool]) -> None:
        for _ in range(1500):
            if condition():
                return
            time.sleep(0.02)
        pytest.fail("it never came true")

    return wait
