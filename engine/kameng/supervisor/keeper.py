"""Keeps one process running: starts it, waits until it is ready, starts it again when it dies."""

import asyncio
import signal

from kameng.supervisor.child import Child, describe
from kameng.supervisor.output import Output
from kameng.supervisor.readiness import until_ready
from kameng.supervisor.spec import Patience, ProcessSpec

KILLED_EARLY = 5  # times the pause, lest the system kills for want of memory what we start, again and again


class GaveUp(Exception):
    """The process cannot be kept running; the reason has been said."""


class Keeper:
    """Keeps the process of one spec running.

    Args:
        spec: what to run.
        output: where its lines go, and ours about it.
        patience: when to give up.
        haste: set when everything has to end at once.
    """

    def __init__(self, spec: ProcessSpec, output: Output, patience: Patience, haste: asyncio.Event) -> None:
        self.spec = spec
        self.ready = asyncio.Event()
        self._output = output
        self._patience = patience
        self._haste = haste
        self._child: Child | None = None
        self._crashes: list[float] = []
        self._ever_ready = False
        self._again = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process's number, if it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def keep(self) -> None:
        """Run the process until this task is cancelled.

        Raises:
            GaveUp: it dies again and again, or at the first start before it was ready.
        """
        while True:
            self._again.clear()
            self._child = child = Child.start(self.spec, self._output)
            on_time = await self._become_ready(child)
            if not on_time and child.running:
                await child.stop(self._haste)
                late = f"is not ready after {self.spec.ready_seconds:g} s"
                await self._crashed(child, late, own_fault=True)
                continue
            status = await child.ended()
            self.ready.clear()
            if child.unwanted:
                # `restart` or `stop` is at work, and says when to go on.
                await self._again.wait()
                continue
            await child.clear(self._haste)
            if status == -signal.SIGKILL:
                self._output.say(f"{self.spec.name} was killed from outside; starting it again")
                await asyncio.sleep(self._patience.pause * (1 if child.was_ready else KILLED_EARLY))
                continue
            await self._crashed(child, describe(status), own_fault=status >= 0)

    async def stop(self) -> None:
        """End the process for good. The task of `keep` has to be cancelled before."""
        if self._child is not None:
            await self._child.stop(self._haste)

    async def restart(self) -> bool:
        """End the process and start it again.

        Returns:
            Whether the new one got ready at the first try.
        """
        async with self._one_at_a_time:
            self.ready.clear()
            old = self._child
            if old is not None and old.running:
                await old.stop(self._haste)
                self._again.set()
            return await self._ready_in_time()

    async def reload(self) -> bool:
        """Let the process reload itself if it knows how to, else restart it.

        Returns:
            Whether it is ready afterwards.
        """
        if self.spec.reload_signal is None or self._child is None or not self._child.running:
            return await self.restart()
        self._child.signal(self.spec.reload_signal)
        try:
            await asyncio.wait_for(until_ready(self.spec.ready), self.spec.ready_seconds)
        except TimeoutError:
            return False
        return True

    async def _ready_in_time(self) -> bool:
        try:
            await asyncio.wait_for(self.ready.wait(), self.spec.ready_seconds)
        except TimeoutError:
            return False
        return True

    async def _become_ready(self, child: Child) -> bool:
        """Wait until the process is ready, has died, or has used up its time; true in the first case."""
        getting_ready = asyncio.create_task(until_ready(self.spec.ready))
        ending = asyncio.create_task(child.ended())
        try:
            await asyncio.wait(
                {getting_ready, ending}, timeout=self.spec.ready_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if child.running and getting_ready.done():
                getting_ready.result()
                child.was_ready = self._ever_ready = True
                self.ready.set()
                return True
            return False
        finally:
            getting_ready.cancel()
            ending.cancel()
            await asyncio.gather(getting_ready, ending, return_exceptions=True)

    async def _crashed(self, child: Child, what: str, *, own_fault: bool) -> None:
        """Say so, and wait as long as patience demands.

        Args:
            child: the run that failed.
            what: how, for the reader.
            own_fault: it was no signal that ended it.

        Raises:
            GaveUp: there is none left.
        """
        now = asyncio.get_running_loop().time()
        self._crashes = [moment for moment in self._crashes if now - moment < self._patience.window] + [now]
        if own_fault and not self._ever_ready:
            self._give_up(child, f"{self.spec.name} cannot start: it {what}")
        if len(self._crashes) >= self._patience.crashes:
            often = f"its crash number {len(self._crashes)} within {self._patience.window:g} s"
            self._give_up(child, f"{self.spec.name} is given up: it {what}, {often}")
        pause = min(self._patience.pause * 2 ** (len(self._crashes) - 1), self._patience.longest_pause)
        self._output.say(f"{self.spec.name} {what}; starting it again in {pause:g} s")
        await asyncio.sleep(pause)

    def _give_up(self, child: Child, why: str) -> None:
        last = "".join(f"\n    {line}" for line in child.tail)
        self._output.say(why + (f". Its last lines:{last}" if last else ". It wrote nothing."))
        raise GaveUp
