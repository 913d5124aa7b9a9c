"""Whether anything in a process group still runs.

The system counts those among a group's members that have ended and wait for their parent to notice. In a
container whose first process never does, they stay for ever; nothing must wait for them.
"""

import os
import sys
from pathlib import Path

_DEAD = "ZX"


def lives(group: int) -> bool:
    """Whether a process of this group runs. Where the system does not tell, the dead count as well."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # the second: on macOS, if only dead ones are left
        return False
    return sys.platform != "linux" or any(
        _runs_in(place, group) for place in Path("/proc").iterdir() if place.name.isdigit()
    )


def _runs_in(place: Path, group: int) -> bool:
    try:
        text = (place / "stat").read_text(errors="replace")
    except OSError:
        return False  # ended meanwhile
    # proc_pid_stat(5): the name stands in brackets and may hold any; then state, parent, group.
    state, _, its_group = text.rpartition(")")[2].split()[:3]
    return state not in _DEAD and int(its_group) == group
