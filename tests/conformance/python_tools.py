"""The Python tools of ``requirements.lock``, in an environment of their own: made once, run by the tests."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from pathlib import Path

from .node import HERE, run

ENVIRONMENT = HERE / ".venv"


def python_tools() -> Path:
    """The folder of the tools' commands; the tools are installed unless they are there."""
    lock = HERE / "requirements.lock"
    stamp, commands = ENVIRONMENT / ".installed", ENVIRONMENT / "bin"
    with lock.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)  # several processes of one test run share the folder
        pinned = hashlib.sha256(locked.read() + sys.version.encode()).hexdigest()
        if stamp.is_file() and stamp.read_text() == pinned:
            return commands
        if ENVIRONMENT.exists():
            shutil.rmtree(ENVIRONMENT)
        run(sys.executable, "-m", "venv", "--without-pip", ENVIRONMENT)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
        python = ("--python", commands / "python")
        run(*pip, *python, "install", "--no-compile", "--require-hashes", "--requirement", lock)
        stamp.write_text(pinned)
    return commands
