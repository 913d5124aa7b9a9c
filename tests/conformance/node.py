"""Node and the tools of a ``package.json``: installed once, run by the tests.

Where Node is missing these tests are skipped; in CI they fail, since nothing else would say that nobody graded us.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
PATIENCE = 1800.0
"""Seconds after which a tool counts as hung; no measure of anything."""


def require_node(folder: Path = HERE) -> None:
    """Skip the test, or in CI fail it, where Node is missing; else install a folder's tools unless they are there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        reason = "Node and npm are not installed; the tools that grade the endpoints and pages need them."
        missing(reason)
    _install(folder)


def missing(reason: str) -> NoReturn:
    """Skip the test for want of a tool; in CI fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _install(folder: Path) -> None:
    stamp = folder / "node_modules" / ".installed"
    with (folder / "package-lock.json").open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)  # several processes of one test run share the folder
        lock = hashlib.sha256(locked.read()).hexdigest()
        if stamp.is_file() and stamp.read_text() == lock:
            return
        npm = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        run(*npm, folder=folder)
        stamp.write_text(lock)


def run(*command: str | Path, folder: Path = HERE, **environment: str) -> str:
    """Run a command in a folder, this one if none is named, and return what it prints; it must succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_script(name: str, *arguments: str) -> Any:
    """Run one of the scripts beside this file and return the JSON that it prints."""
    return json.loads(run("node", HERE / name, *arguments))
