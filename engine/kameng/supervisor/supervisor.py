"""Runs the processes of a deployment under one parent."""

import asyncio
import concurrent.futures
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from kameng.supervisor.keeper import GaveUp, Keeper
from kameng.supervisor.output import Output
from kameng.supervisor.spec import Patience, ProcessSpec, SupervisorError, check_specs

STOPPED = 0
GAVE_UP = 1
HASTENED = 130  # as shells say it of SIGINT


class Supervisor:
    """Runs processes together: starts them, shows what they write, starts them again, and ends them.

    - SIGINT and SIGTERM end all of them, the last one first; a second one does not wait for them.
    - SIGHUP reloads them, one after the other. If it came because the terminal is gone, it ends them.
    - If we are killed, their guards end them; see `kameng.supervisor.guard`.

    >>> supervisor = Supervisor([ProcessSpec("web", ["python", "-m", "http.server"])])
    >>> supervisor.run()  # doctest: +SKIP

    Args:
        specs: what to run, in the order of starting.
        on_ready: called once, when all are ready for the first time.
        patience: what happens to a process that dies.
        output: where the lines go; by default standard output.

    Raises:
        SupervisorError: the specs cannot work together.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        on_ready: Callable[[], None] | None = None,
        patience: Patience | None = None,
        output: Output | None = None,
    ) -> None:
        check_specs(specs)
        self._specs = tuple(specs)
        self._on_ready = on_ready
        self._patience = patience or Patience()
        self._output = output or Output([spec.name for spec in specs])
        self._keepers: dict[str, Keeper] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self._haste = asyncio.Event()
        self._reload_wanted = asyncio.Event()
        self._had_terminal = _has_terminal()

    def run(self) -> int:
        """Run until a signal or `stop` ends it, or a process cannot be kept running.

        Returns:
            An exit status: 0 after a proper end, 1 if a process was given up, 130 if the end was hastened.
        """
        try:
            return asyncio.run(self._run())
        finally:
            self._loop = None
            self._output.close()

    def stop(self) -> None:
        """End everything, from any thread; the second call does it at once."""
        self._call(self._end)

    def reload(self) -> None:
        """Reload all processes, one after the other, from any thread."""
        self._call(self._reload_wanted.set)

    def restart(self, name: str) -> "concurrent.futures.Future[bool]":
        """Restart one process, from any thread.

        Args:
            name: of its spec.

        Returns:
            Done when the new one is ready (true), or not ready in its time (false).

        Raises:
            SupervisorError: there is no such process, or nothing runs.
        """
        loop, keeper = self._loop, self._keepers.get(name)
        if loop is None or keeper is None:
            raise SupervisorError(f"No process {name} runs here.", cure="Name one of those that do.")
        return asyncio.run_coroutine_threadsafe(keeper.restart(), loop)

    @property
    def pids(self) -> dict[str, int]:
        """Numbers of the processes that run now, by name."""
        return {name: keeper.pid for name, keeper in self._keepers.items() if keeper.pid is not None}

    async def _run(self) -> int:
        self._loop = asyncio.get_running_loop()
        self._listen_to_signals()
        self._keepers = {
            spec.name: Keeper(spec, self._output, self._patience, self._haste) for spec in self._specs
        }
        keeping = [asyncio.create_task(keeper.keep(), name=name) for name, keeper in self._keepers.items()]
        ending = asyncio.create_task(self._ending.wait())
        around = [
            ending,
            asyncio.create_task(self._announce()),
            asyncio.create_task(self._reload_on_demand()),
        ]
        try:
            waiting: set[asyncio.Task[object]] = {*keeping, *around}
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                if ending in done:
                    return HASTENED if await self._end_all(keeping) else STOPPED
        except GaveUp:
            self._output.say("Ending the others.")
            await self._end_all(keeping)
            return GAVE_UP
        except BaseException:
            await self._end_all(keeping)
            raise
        finally:
            for task in around:
                task.cancel()
            await asyncio.gather(*around, return_exceptions=True)
        return STOPPED

    async def _announce(self) -> None:
        for keeper in self._keepers.values():
            await keeper.ready.wait()
        if self._on_ready is not None:
            self._on_ready()

    async def _reload_on_demand(self) -> None:
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            self._output.say("Reloading, one after the other.")
            for name, keeper in self._keepers.items():
                if not await keeper.reload():
                    self._output.say(f"{name} is not ready after its reload; the rest is left as it is.")
                    break
            else:
                self._output.say("Reloaded.")

    async def _end_all(self, keeping: Sequence["asyncio.Task[None]"]) -> bool:
        """End all processes, the last one first.

        Returns:
            Whether it was hastened.
        """
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        keepers = list(reversed(self._keepers.values()))
        for keeper in keepers:
            if self._haste.is_set():
                break
            await keeper.stop()
        await asyncio.gather(*(keeper.stop() for keeper in keepers))
        return self._haste.is_set()

    def _listen_to_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread gets them; elsewhere `stop` and `reload` do the same
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._end)
        loop.add_signal_handler(signal.SIGTERM, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)

    def _end(self) -> None:
        if not self._ending.is_set():
            self._output.say("Stopping. Once more to stop at once.")
            self._ending.set()
        else:
            self._haste.set()

    def _hung_up(self) -> None:
        # A closed terminal sends the same signal as an operator who wants a reload.
        if self._had_terminal and not _has_terminal():
            self._end()
        else:
            self._reload_wanted.set()

    def _call(self, what: Callable[[], object]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended in this moment
                self._loop.call_soon_threadsafe(what)


def _has_terminal() -> bool:
    """Whether this process has a controlling terminal."""
    try:
        with Path("/dev/tty").open("rb", buffering=0):
            return True
    except OSError:
        return False
