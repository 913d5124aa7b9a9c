"""A server's process, and the guard that outlives us.

The server runs in a session of its own, so that Ctrl-C in the terminal reaches us and not it: we stop it
last, and properly. If we are killed, nobody would. Therefore each server has a guard: a small shell that
waits for the far end of a pipe which only we hold. When we are gone, however that came about, the pipe ends
and the guard asks the server to shut down: it is never killed hard. Should the guard have been killed as
well, the next start finds the server by its data folder and stops it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from kameng.embedded.account import Account
from kameng.embedded.errors import ServerFailedError

# $1 process, $2 its pid file, $3 signal. A word on the pipe means that the server was stopped already. If the
# pid file names another process, ours is long dead and its number may have passed on: then nobody is
# signalled.
GUARD = """
trap '' HUP INT TERM
read -r _ && exit 0
pid=$1
[ -e "$2" ] && read -r pid < "$2"
[ "$pid" = "$1" ] && kill -s "$3" "$1"
"""

LOG_LINES = 20


class ServerProcess:
    """One run of a server.

    Args:
        command: program and arguments.
        account: who it runs as.
        log: the file that it writes to.
        log_handle: a descriptor that appends to that file; closed here.
        pid_file: where the server writes its process number.
        stop_signal: asks it to shut down without losing anything.
        environment: its environment.
        text: written to its standard input.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        account: Account,
        log: Path,
        log_handle: int,
        pid_file: Path,
        stop_signal: signal.Signals,
        environment: dict[str, str],
        text: str = "",
    ) -> None:
        self._log = log
        self._log_start = os.fstat(log_handle).st_size
        self._stop_signal = stop_signal
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log_handle,
                stderr=subprocess.STDOUT,
                env=environment,
                **account.process_options(),
            )
        finally:
            os.close(log_handle)
        self._account = account
        self._pid_file = pid_file
        self._guard = self._set_guard()
        _say(self._process, text)

    @property
    def pid(self) -> int:
        """The server's process number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def mind_guard(self) -> None:
        """Replace the guard if somebody has ended it."""
        if self.running and self._guard.poll() is not None:
            _say(self._guard, "")
            self._guard = self._set_guard()

    def log_text(self) -> str:
        """What the server has written in this run."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._log_start)
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def log_tail(self) -> list[str]:
        """The last lines that the server has written in this run."""
        return self.log_text().splitlines()[-LOG_LINES:]

    def stop(self, patience: float, *harder: tuple[signal.Signals, float]) -> None:
        """End the process and its guard.

        Args:
            patience: seconds to wait after the proper signal.
            harder: further signals, each with the seconds to wait, for a server that does not listen.

        Raises:
            ServerFailedError: it survived them all.
        """
        for step, seconds in ((self._stop_signal, patience), *harder):
            if self.running:
                self._process.send_signal(step)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(seconds)
        self._dismiss_guard()
        if self.running:
            raise ServerFailedError(f"Process {self.pid} does not stop.", log=self.log_tail())

    def abandon(self) -> None:
        """Clear up after a process that has died by itself."""
        self._process.wait()
        self._dismiss_guard()

    def _set_guard(self) -> "subprocess.Popen[bytes]":
        signal_name = self._stop_signal.name.removeprefix("SIG")
        return subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self.pid), str(self._pid_file), signal_name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._account.process_options(),
        )

    def _dismiss_guard(self) -> None:
        _say(self._guard, "stopped\n")
        self._guard.wait()


def _say(process: subprocess.Popen[bytes], text: str) -> None:
    """Write to a process's standard input, and close it."""
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(text.encode())


def wait_until(condition: Callable[[], bool], process: ServerProcess, *, seconds: float) -> bool:
    """Wait for a condition as long as the process lives.

    Returns:
        Whether it came true; false if the process died first.

    Raises:
        ServerFailedError: the time is up.
    """
    end = time.monotonic() + seconds
    pause = 0.002
    while time.monotonic() < end:
        if condition():
            return True
        if not process.running:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    raise ServerFailedError(f"The server is not ready after {seconds:.0f} s.", log=process.log_tail())
