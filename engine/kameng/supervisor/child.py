"""One run of a supervised process, from its start to the end of everything that it started."""

import asyncio
import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from typing import Any

from kameng.supervisor.group import lives
from kameng.supervisor.guard import GO, call_off, gated, set_guard
from kameng.supervisor.output import Output
from kameng.supervisor.spec import ProcessSpec

TAIL = 20  # lines that are shown again when we give up
LONGEST_LINE = 65_536  # bytes; a longer one is written in parts
LOOK_PAUSE = 0.02  # seconds between two looks at a group that is ending
GUARD_SECONDS = 1.0  # between two looks at the guard
KILLED_SECONDS = 5.0  # for the kernel to clear away what was killed


class Child:
    """One run of a process.

    Attributes:
        spec: what runs.
        pid: its number, and that of its group.
        tail: the last lines that it wrote.
        was_ready: whether it ever did its work.
        unwanted: we have asked it to end.
    """

    def __init__(self, spec: ProcessSpec, output: Output, process: "subprocess.Popen[bytes]") -> None:
        self.spec = spec
        self.pid = process.pid
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.was_ready = False
        self.unwanted = False
        self._output = output
        self._process = process
        self._guard = set_guard(process.pid, spec.grace)
        self._death: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read())
        threading.Thread(target=self._wait, args=[asyncio.get_running_loop()], daemon=True).start()

    @classmethod
    def start(cls, spec: ProcessSpec, output: Output) -> "Child":
        """Start the process, behind its gate until its guard stands."""
        process = subprocess.Popen(
            gated(spec.command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=spec.cwd,
            # Into a pipe, Python keeps its lines to itself for too long.
            env={"PYTHONUNBUFFERED": "1", **os.environ, **spec.env},
            start_new_session=True,
        )
        child = cls(spec, output, process)
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as gate:
                gate.write(GO)
        return child

    @property
    def running(self) -> bool:
        """Whether the process itself lives."""
        return not self._death.done()

    def signal(self, number: signal.Signals) -> None:
        """Send the process, and it alone, a signal."""
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self) -> int:
        """Wait for the process's end, and mind its guard.

        Returns:
            Its exit status, negative for a signal.
        """
        while self.running:
            dead, _ = await asyncio.wait({self._death}, timeout=GUARD_SECONDS)
            if not dead and self._guard.poll() is not None:
                call_off(self._guard)
                self._guard = set_guard(self.pid, self.spec.grace)
        return self._death.result()

    async def stop(self, haste: asyncio.Event) -> None:
        """End the process and all that it started: SIGTERM, and after the grace SIGKILL.

        Args:
            haste: ends the grace.
        """
        self.unwanted = True
        self.signal(signal.SIGTERM)
        hurry = asyncio.create_task(haste.wait())
        either: set[asyncio.Future[Any]] = {self._death, hurry}
        await asyncio.wait(either, timeout=self.spec.grace, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if self.running:
            self._signal_group(signal.SIGKILL)
            await asyncio.wait({self._death})
        await self.clear(haste)

    async def clear(self, haste: asyncio.Event) -> None:
        """After the process's end, end what it has left behind.

        Args:
            haste: ends the grace.
        """
        self._signal_group(signal.SIGTERM)
        await self._group_end(self.spec.grace, haste)
        if self._signal_group(signal.SIGKILL):
            await self._group_end(KILLED_SECONDS, asyncio.Event())
        call_off(self._guard)
        # What has left the group may hold the pipe for ever.
        await asyncio.wait({self._reading}, timeout=1)
        self._reading.cancel()

    async def _group_end(self, seconds: float, haste: asyncio.Event) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while not haste.is_set() and asyncio.get_running_loop().time() < end:
            self._bury_orphans()
            if not lives(self.pid):
                return
            await asyncio.sleep(LOOK_PAUSE)

    def _bury_orphans(self) -> None:
        # As process 1 of a container we inherit them; elsewhere there are none.
        with suppress(ChildProcessError):
            while os.waitpid(-self.pid, os.WNOHANG)[0]:
                pass

    def _signal_group(self, number: int) -> bool:
        """Send everything in the group a signal; false if nothing is left in it."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):  # the second: on macOS, if only dead ones are left
            return False
        return True

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        status = self._process.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(self._death.set_result, status)

    async def _read(self) -> None:
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._process.stdout
        )
        rest = b""
        try:
            while chunk := await reader.read(LONGEST_LINE):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._line(line)
                if len(rest) >= LONGEST_LINE:
                    self._line(rest)
                    rest = b""
        finally:
            if rest:
                self._line(rest)
            transport.close()

    def _line(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self.tail.append(text)
        self._output.line(self.spec.name, text)


def describe(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
