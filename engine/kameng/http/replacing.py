"""Granian's main process, with a reload that waits for what it waits for, and a stop that reaches every web process.

What differs from Granian's own:

- On SIGHUP an old process is stopped when its successor has said that it can serve, not after a fixed time. A successor that does
  not come up is given up, and the old processes go on: a mistake in the settings does not take the shop away.
- SIGTERM during a reload ends the reload, instead of waiting for the rest of it.
- A process that is told to stop while it still loads ends at once. As a fork it would inherit the main process's handlers, which
  do nothing for it: it would finish loading, serve, and be killed at the end of the patience that others have for it.
- A process that is told to stop while it cannot hear is told again.
- A process that has stopped well is not taken for one that refuses to, and one that a signal to the whole group reached
  before ours is no failure.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from granian.server.mp import MPServer

from kameng.http.readiness import is_ready

STARTING_SECONDS = 120.0
"""How long a successor may take to start serving before it is given up."""

_LOOK_SECONDS = 0.05
_AGAIN_SECONDS = 1.0
"""After which a process that was told to stop is told again: while its event loop stands still, between the start of the
application and serving, it hears nothing."""

_STOPS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger(__name__)


class ReplacingServer(MPServer):
    """Serves by several processes, and replaces them one by one on SIGHUP.

    Args:
        ready_folder: where the processes tell that they can serve; see `kameng.http.readiness`.
        stop_seconds: how long a process may take to answer what it has begun before it is killed.
        target, options: Granian's.
    """

    def __init__(self, target: str, *, ready_folder: Path, stop_seconds: float, **options: Any) -> None:
        super().__init__(target, **options)
        self._ready_folder = ready_folder
        self._stop_seconds = stop_seconds

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Stop; from here on it is no fault of a process that it ends."""
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # not annotated

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop all processes; the exit code tells of those that ended by themselves before."""
        if self._stopping():
            self.interrupt_children.clear()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # not annotated

    def _stopping(self) -> bool:
        return bool(self.interrupt_signal)

    def _respawn_workers(
        self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        if not delay:  # in place of processes that have died
            super()._respawn_workers(workers, spawn_target, target_loader, delay)
            return
        for index in workers:
            if self._stopping() or not self._replace(index, spawn_target, target_loader):
                return

    def _replace(self, index: int, spawn_target: Any, target_loader: Any) -> bool:
        """Put a new process in place of one; whether it could be done."""
        old: Any = self.wrks[index]
        new: Any = self._spawn_worker(index, spawn_target, target_loader)
        new.interrupt_by_parent = True  # until it serves, its end is ours to judge
        new.start()

        def ready() -> bool:
            return is_ready(self._ready_folder, new.inner.pid)

        self._wait(lambda: self._stopping() or ready() or not new.is_alive(), STARTING_SECONDS)
        if self._stopping():
            self.wrks.append(new)  # to be stopped like the others
            return False
        if not ready() or not new.is_alive():
            log.error("a new web process did not start; the old ones go on", process=new.inner.pid)
            self._kill([new])
            return False
        new.interrupt_by_parent = False
        self.respawned_wrks[index] = time.monotonic()
        self.wrks[index] = new
        self._metrics.incr_spawn(1)
        self._ask_to_stop([old], self._stopping)
        if self._stopping():
            self.wrks.append(old)
            return False
        self._kill([old])
        return True

    def _stop_workers(self) -> None:
        self._ask_to_stop(self.wrks, lambda: False)
        self._kill(self.wrks)
        self.wrks.clear()

    def _ask_to_stop(self, workers: Sequence[Any], over: Callable[[], bool]) -> None:
        """Tell processes to stop, and wait until they have, or it is over, or they have had their time.

        Granian's own way to wait is to join them, as a thread of its does for each too. Only one of the two is told by the
        operating system; the other may come back before that is known, and would kill what has ended well.
        """
        end = time.monotonic() + self._stop_seconds
        while left := [worker for worker in workers if worker.is_alive()]:
            patience = min(_AGAIN_SECONDS, end - time.monotonic())
            if over() or patience <= 0:
                return
            for worker in left:
                worker.terminate()
            self._wait(lambda: over() or not any(worker.is_alive() for worker in workers), patience)

    def _kill(self, workers: Sequence[Any]) -> None:
        """Kill those that have not stopped."""
        for worker in workers:
            if worker.is_alive():
                log.warning("a web process was killed, since it did not stop", process=worker.inner.pid)
                worker.kill()

    def _wait(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)


def end_at_once_while_loading() -> None:
    """Let forks of this process obey signals from their first moment: by ending, until they have handlers of their own."""

    def hold() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

    def forget() -> None:
        for each in (*_STOPS, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN if each is signal.SIGHUP else signal.SIG_DFL)
        release()

    os.register_at_fork(before=hold, after_in_parent=release, after_in_child=forget)
