"""Nothing outlives the supervisor, not even if it is killed.

Each process has a guard: a small shell in a session of its own that waits for the end of a pipe which only
the supervisor holds. When the supervisor is gone, the guard ends the process and all that it started. The
process itself passes a gate before it becomes its program: it waits for a word that we say only once its
guard stands. So there is no moment in which a SIGKILL of the supervisor would leave something running.

Shells and pipes are on every Unix; a parent-death signal is Linux's alone, and reaches no grandchildren.
"""

import subprocess
from collections.abc import Sequence

GO = b"go\n"

# The process keeps its number through exec. Without the word (we are dead) it ends instead.
_GATE = 'read -r _ || exit 0; exec "$@" </dev/null'

# $1 process, and number of its group; $2 tenths of a second to wait. First the process alone is asked, since it
# knows how to end its children. If it is gone they are asked themselves, and once: many a program takes a second
# SIGTERM for impatience.
_GUARD = """
trap '' HUP INT TERM
read -r _ && exit 0
asked=
kill -s TERM "$1"
left=$2
while [ "$left" -gt 0 ] && kill -s 0 -- "-$1"; do
    if [ -z "$asked" ] && ! kill -s 0 "$1"; then
        asked=yes
        kill -s TERM -- "-$1"
    fi
    sleep 0.1 || sleep 1
    left=$((left - 1))
done
kill -s KILL -- "-$1"
"""


def gated(command: Sequence[str]) -> list[str]:
    """The command behind its gate: it runs once `GO` has been written to its standard input."""
    return ["/bin/sh", "-c", _GATE, "gate", *command]


def set_guard(pid: int, grace: float) -> "subprocess.Popen[bytes]":
    """Start the guard of a process that leads its own group.

    Args:
        pid: the process.
        grace: seconds between asking and killing.

    Returns:
        The guard; killing it calls it off.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", str(pid), str(max(1, round(grace * 10)))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def call_off(guard: "subprocess.Popen[bytes]") -> None:
    """End a guard whose process is gone."""
    guard.kill()
    guard.wait()
    if guard.stdin is not None:
        guard.stdin.close()
