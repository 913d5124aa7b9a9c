"""A clean environment with the built wheels of the engine, its modules and themes, as somebody who installs them has it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRST_PARTY = [
    ROOT / "engine",
    *sorted(path.parent for path in ROOT.glob("modules/*/pyproject.toml")),
    *sorted(path.parent for path in ROOT.glob("themes/*/pyproject.toml")),
]


@dataclass(frozen=True)
class CleanEnvironment:
    """A virtual environment that knows nothing of this checkout.

    Attributes:
        folder: where it lies.
        wheels: the folder of built wheels.
    """

    folder: Path
    wheels: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def kameng(self) -> Path:
        """The command, as the wheel's installation made it."""
        return self.folder / "bin" / "kameng"

    @classmethod
    def create(cls, folder: Path) -> CleanEnvironment:
        """Make one, with the first-party wheels installed."""
        made = cls(folder / "env", folder / "wheels")
        venv.create(made.folder, with_pip=False, symlinks=True)
        made._lend_dependencies(folder / "dependencies")
        made.install(*made.build(*FIRST_PARTY))
        return made

    def _lend_dependencies(self, folder: Path) -> None:
        # Everything that the lock names is installed where these tests run; what is ours must not come from there, so the
        # clean environment sees a folder of links to all the rest. Path files are left out: they lead into this checkout.
        folder.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if "kameng" not in entry.name and entry.suffix != ".pth":
                (folder / entry.name).symlink_to(entry)
        [packages] = self.folder.glob("lib/python*/site-packages")
        (packages / "dependencies.pth").write_text(f"{folder}\n")

    def build(self, *packages: Path) -> list[Path]:
        """Build wheels, each as `pip wheel` would, without the network; returns them."""
        self.wheels.mkdir(exist_ok=True)
        known = set(self.wheels.iterdir())
        _pip(
            "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", self.wheels, *packages
        )
        built = sorted(set(self.wheels.iterdir()) - known)
        assert len(built) == len(packages), built
        return built

    def install(self, *wheels: Path) -> None:
        """Install wheels; their dependencies are there already."""
        _pip("--python", self.python, "install", "--no-index", "--no-deps", *wheels)

    def uninstall(self, distribution: str) -> None:
        """Take a distribution out again."""
        _pip("--python", self.python, "uninstall", "--yes", distribution)

    def run(
        self, *command: str | Path, cwd: Path, expected: int = 0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there and expect an exit code."""
        return _run([str(part) for part in command], cwd, self.variables(**environment), expected)

    def variables(self, **more: str) -> dict[str, str]:
        """The environment of processes there: nothing of ours but what is named."""
        ours = (
            "KAMENG_",
            "DATABASE_URL",
            "REDIS_URL",
            "PYTHONPATH",
            "PORT",
            "HOST",
            "PICCOLO_CONF",
            "VIRTUAL_ENV",
        )
        kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        return {**kept, "PATH": f"{self.folder / 'bin'}:{kept['PATH']}", **more}


def _pip(*arguments: str | Path) -> None:
    _run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)])


def _run(
    command: list[str],
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
    expected: int = 0,
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == expected, (
        f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return done
