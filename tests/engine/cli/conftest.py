"""The command as an operator runs it: in a process and a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kameng.kernel import Kernel
from tests.commands import Commands, Ended


@dataclass(frozen=True)
class Command:
    """Runs `kameng`.

    Attributes:
        commands: what runs it.
        folder: where it runs.
        variables: its environment, beside what every process has.
    """

    commands: Commands
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    async def __call__(self, *arguments: str | Path, **variables: str) -> Ended:
        # Other packages than ours take a process that has imported nothing yet.
        run = self.commands.anew if "PYTHONPATH" in variables else self.commands
        ended = await run(*arguments, folder=self.folder, variables={**self.variables, **variables})
        # Whatever goes wrong, an operator gets a sentence and never the insides.
        assert "Traceback" not in ended.output + ended.errors
        return ended


@pytest.fixture
def command(commands: Commands, tmp_path: Path) -> Command:
    """A command that knows of no services; it would start its own."""
    return Command(commands, tmp_path)


@pytest.fixture
def beside(commands: Commands, kernel: Kernel, tmp_path: Path) -> Command:
    """A command on the database, broker and keys of a running kernel of all modules."""
    return Command(commands, tmp_path, variables_of(kernel))


def variables_of(kernel: Kernel) -> dict[str, str]:
    """The environment that leads a command to what a kernel uses."""
    engine = kernel.settings.engine
    return {
        "DATABASE_URL": engine.database_url,
        "REDIS_URL": engine.redis_url,
        "KAMENG_MASTER_KEYS_FILE": str(kernel.settings.data_dir / "vault.keys"),
        "KAMENG_KAMENG__LOG_LEVEL": "error",
    }
