"""Servers that outlived the process that started them.

A pid file alone proves nothing: after a crash its number may belong to anybody. A server of ours is known by
its program's name and by its working folder, which is its data folder.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kameng.embedded.errors import ServerFailedError

if TYPE_CHECKING:
    import psutil


def servers_in(folder: Path, program: str) -> list[psutil.Process]:
    """All live processes of this program whose working folder this is, oldest first."""
    import psutil  # Part of the extra, like the wheels: whoever brings his own servers may do without.

    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != program:
            continue
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(folder):
                found.append(process)
        except (psutil.Error, OSError):
            # Gone meanwhile, or of an account that we may not look at, and then not ours.
            continue
    return sorted(found, key=lambda process: process.create_time())


def stop_leftovers(
    folder: Path, program: str, steps: Sequence[tuple[signal.Signals, float]], *, first: int = 0
) -> int:
    """Stop the servers that still run in this folder.

    Args:
        folder: their data folder.
        program: their program's name.
        steps: signals in turn, with the seconds to wait after each.
        first: the process that leads the others, if one does: as long as it lives, only it gets the signals.

    Returns:
        How many processes were found.

    Raises:
        ServerFailedError: one of them survived all signals.
    """
    found = len(servers_in(folder, program))
    for step, seconds in steps if found else ():
        alive = servers_in(folder, program)
        for process in [process for process in alive if process.pid == first] or alive:
            with suppress(ProcessLookupError):
                os.kill(process.pid, step)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not servers_in(folder, program):
                return found
            time.sleep(0.02)
    left = ", ".join(str(process.pid) for process in servers_in(folder, program))
    if left:
        raise ServerFailedError(
            f"An earlier {program} still runs in {folder} and does not stop (process {left}).",
            cure=f"Stop it by hand: kill {left}",
        )
    return found
