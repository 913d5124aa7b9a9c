"""Rendering templates that nobody has looked at: in a process of its own, with little time, memory and room for its output.

The sandbox of templates keeps them from what is not theirs, but not from a loop in a loop, or a text of a gigabyte. So templates
of themes that are named in ``[themes] confined`` are compiled and rendered by a child of the web process, which is forked for one
page and killed when it takes too long. It holds none of its parent's connections, may write nothing, and what it hands over is
the page's text and nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kameng.themes.errors import ThemeError

SECONDS = 3.0
"""For how long a page may be rendered, waiting included."""

CPU_SECONDS = 2
"""How much of a processor it may use."""

MEMORY_BYTES = 256 * 1024 * 1024
"""What it may take beside what the web process has."""

OUTPUT_BYTES = 2_000_000
"""How long a page may be."""

AT_ONCE = 4
"""Pages that a process renders so at the same time; others wait."""

_DONE, _NONE = b"D", b"N"
_PIECE = 65_536

_turns: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


class ConfinedFailure(ThemeError):
    """A confined template failed, or took more than it may."""

    code = "THEME_CONFINED_FAILURE"


async def confined(render: Callable[[], str | None]) -> str | None:
    """What a function returns, called in a child process that is limited.

    Args:
        render: gives a text, or None. What else it changes is lost with the child.

    Raises:
        ConfinedFailure: it raised something, or exceeded a limit.
    """
    loop = asyncio.get_running_loop()
    turns = _turns.get(loop)
    if turns is None:
        for old in [known for known in _turns if known.is_closed()]:
            del _turns[old]
        turns = _turns[loop] = asyncio.Semaphore(AT_ONCE)
    async with turns:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _be_confined(render, writing)  # never returns
        os.close(writing)
        return await asyncio.shield(asyncio.to_thread(_supervise, child, reading, SECONDS))


def _supervise(child: int, reading: int, seconds: float) -> str | None:
    """Read what a child writes, as far as it may, and make sure that it ends."""
    ends, pieces, size = time.monotonic() + seconds, [], 0
    problem = ""
    try:
        while True:
            ready, _, _ = select.select([reading], [], [], max(0.0, ends - time.monotonic()))
            if not ready:
                problem = f"It took longer than {seconds:g} seconds."
                break
            piece = os.read(reading, _PIECE)
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            if size > OUTPUT_BYTES:
                problem = f"The page has more than {OUTPUT_BYTES:,} bytes."
                break
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    told = b"".join(pieces)
    if problem or told[-1:] not in (_DONE, _NONE):
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "an error"
        raise ConfinedFailure(
            f"A confined template was stopped: {problem or f'it ended by {how}.'}",
            cure="Mend the template, or take the theme away.",
        )
    return told[:-1].decode() if told[-1:] == _DONE else None


def _be_confined(render: Callable[[], str | None], writing: int) -> None:
    """The child: give everything up, render, and end without running anything of the parent's."""
    try:
        gc.disable()  # the parent's objects are not this process's to look at
        signal.set_wakeup_fd(-1)
        for told in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU):
            signal.signal(told, signal.SIG_DFL)
        # Templates are read from disk here, so what is open stays limited to the pipe and a file at a time.
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        os.closerange(3, writing)
        os.closerange(writing + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        most = pages * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        text = render()
        body = _NONE if text is None else text.encode() + _DONE
        while body:
            body = body[os.write(writing, body[:_PIECE]) :]
    except (
        BaseException
    ):  # whatever it is, MemoryError and RecursionError among them: the parent sees an end without a word
        os._exit(1)
    os._exit(0)
