"""Pin every third-party package of the workspace into ``requirements.lock``, with hashes and no addresses.

Run by ``make lock``. Reads what each distribution asks for from its ``pyproject.toml``, leaves out our own, and
lets uv resolve all of it together for every supported Python and platform. The tools of the conformance tests and what drives
the browser have environments and locks of their own.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
APART = [ROOT / "tests/conformance", ROOT / "tests/browser"]
DISTRIBUTIONS = [ROOT / "engine", *sorted((ROOT / "modules").iterdir()), *sorted((ROOT / "themes").iterdir())]


def listed(file: Path) -> list[str]:
    """The requirements of a ``requirements.in``."""
    return [line for line in file.read_text().splitlines() if line.strip() and not line.startswith("#")]


def third_party() -> list[str]:
    """All requirements of our distributions and tools that are not distributions of ours."""
    found = listed(ROOT / "requirements-dev.in")
    for folder in DISTRIBUTIONS:
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        found += project["dependencies"]
        for extra in project.get("optional-dependencies", {}).values():
            found += extra
    return sorted({item for item in found if not item.startswith("kameng")})


def pin(requirements: list[str], lock: Path) -> int:
    """Write a lock file; the exit code is uv's."""
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "-",
        "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate",
        "--no-emit-index-url", "--no-emit-find-links", "--quiet", "--output-file", str(lock),
    ]  # fmt: skip
    return subprocess.run(
        [*command, *sys.argv[1:]], input="\n".join(requirements), text=True, check=False
    ).returncode


def main() -> int:
    """Write the lock files; the exit code is uv's."""
    statuses = [pin(third_party(), LOCK)]
    statuses += [pin(listed(folder / "requirements.in"), folder / "requirements.lock") for folder in APART]
    return max(statuses)


if __name__ == "__main__":
    raise SystemExit(main())
