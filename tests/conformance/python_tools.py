"""The Python tools of a ``requirements.lock``, in an environment of their own: made once, run by the tests."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from pathlib import Path

from .node import HERE, run


def python_tools(folder: Path = HERE) -> Path:
    """The folder of the commands of a folder's tools; they are installed unless they are there."""
    lock, environment = folder / "requirements.lock", folder / ".venv"
    stamp, commands = environment / ".installed", environment / "bin"
    with lock.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)  # several processes of one test run share the folder
        pinned = hashlib.sha256(locked.read() + sys.version.encode()).hexdigest()
        if stamp.is_file() and stamp.read_text() == pinned:
            return commands
        if environment.exists():
            shutil.rmtree(environment)
        run(sys.executable, "-m", "venv", "--without-pip", environment)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
        python = ("--python", commands / "python")
        run(*pip, *python, "install", "--no-compile", "--require-hashes", "--requirement", lock)
        stamp.write_text(pinned)
    return commands
