"""Pin every third-party package of the workspace into ``requirements.lock``, with hashes and no addresses.

Run by ``make lock``. Reads what each distribution asks for from its ``pyproject.toml``, leaves out our own, and
lets uv resolve all of it together for every supported Python and platform.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
DISTRIBUTIONS = [ROOT / "engine", *sorted((ROOT / "modules").iterdir()), *sorted((ROOT / "themes").iterdir())]


def third_party() -> list[str]:
    """All requirements of our distributions and tools that are not distributions of ours."""
    found = [
        line
        for line in (ROOT / "requirements-dev.in").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    for folder in DISTRIBUTIONS:
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        found += project["dependencies"]
        for extra in project.get("optional-dependencies", {}).values():
            found += extra
    return sorted({item for item in found if not item.startswith("kameng")})


def main() -> int:
    """Write the lock file; the exit code is uv's."""
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "-",
        "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate",
        "--no-emit-index-url", "--no-emit-find-links", "--quiet", "--output-file", str(LOCK),
    ]  # fmt: skip
    return subprocess.run(
        [*command, *sys.argv[1:]], input="\n".join(third_party()), text=True, check=False
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
