"""The command as an operator runs it: in a process and a folder of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kameng.kernel import Kernel

OURS = ("KAMENG_", "DATABASE_URL", "REDIS_URL", "PORT", "HOST")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True)
class Command:
    """Runs `kameng`.

    Attributes:
        folder: where it runs.
        variables: its environment, beside what every process has.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    async def __call__(self, *arguments: str | Path, **variables: str) -> Ended:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kameng",
            *map(str, arguments),
            cwd=self.folder,
            env={**inherited, **self.variables, **variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode is not None
        ended = Ended(process.returncode, output.decode(), errors.decode())
        # Whatever goes wrong, an operator gets a sentence and never the insides.
        assert "Traceback" not in ended.output + ended.errors
        return ended


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """A command that knows of no services; it would start its own."""
    return Command(tmp_path)


@pytest.fixture
def beside(kernel: Kernel, tmp_path: Path) -> Command:
    """A command on the database, broker and keys of a running kernel of all modules."""
    return Command(tmp_path, variables_of(kernel))


def variables_of(kernel: Kernel) -> dict[str, str]:
    """The environment that leads a command to what a kernel uses."""
    engine = kernel.settings.engine
    return {
        "DATABASE_URL": engine.database_url,
        "REDIS_URL": engine.redis_url,
        "KAMENG_MASTER_KEYS_FILE": str(kernel.settings.data_dir / "vault.keys"),
        "KAMENG_KAMENG__LOG_LEVEL": "error",
    }
