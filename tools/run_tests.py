"""Run the tests; a few that failed beside others are run once more by themselves.

Hundreds of tests start servers, kill processes and race each other on purpose. On a machine that does four such things at
once, one may meet an outside limit, such as a port that was taken meanwhile. What fails again when it has the machine for
itself is a failure; what passes then is named at the end, for each such name is a test to be mended. More than `FEW` are
never run again: so many do not fail by chance.

Usage: ``python tools/run_tests.py [arguments of pytest]``
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FEW = 5
SIDE_BY_SIDE = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--durations", "15")
FAILED = Path(".pytest_cache/v/cache/lastfailed")
TESTS_FAILED = 1  # pytest's exit status: it ran, and some failed


def run(*arguments: str) -> int:
    """Pytest's exit status."""
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def main(arguments: list[str]) -> int:
    """The exit status for the whole."""
    FAILED.unlink(missing_ok=True)
    status = run(*SIDE_BY_SIDE, *arguments)
    if status != TESTS_FAILED or not FAILED.exists():
        return status
    failed = sorted(json.loads(FAILED.read_text()))
    if len(failed) > FEW:
        return status
    print(f"\n{len(failed)} failed beside others; they run once more, by themselves.", flush=True)
    status = run(*failed)
    if status == 0:
        print("\nUnsteady: these failed beside others and passed by themselves. Mend them:")
        print("".join(f"  {name}\n" for name in failed))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
