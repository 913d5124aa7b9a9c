"""How a web process tells the one that started it that it can serve: by a file named like its process id."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = "KAMENG_READY_FOLDER"
"""The environment variable that names the folder of these files; without it nobody asks."""


def tell_ready() -> None:
    """This process can serve now."""
    folder = os.environ.get(FOLDER)
    if folder and Path(folder).is_dir():
        (Path(folder) / str(os.getpid())).touch()


def is_ready(folder: Path, process: int) -> bool:
    """Whether a process has told that it can serve."""
    return (folder / str(process)).exists()
