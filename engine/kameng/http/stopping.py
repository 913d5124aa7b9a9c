"""Hearing that this process is to stop, while it still serves.

A web server tells its application only after the last response, and a stream is a response that does not end by itself: without
this a stopping process would wait for its streams until it is killed.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def told_of_stop(tell: Callable[[], object]) -> Iterator[None]:
    """Call something on the running loop when a signal asks this process to stop; the server's own handlers run as before.

    Args:
        tell: may be called more than once, and must not block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # no signals here; who runs the application in a thread stops it by other means
        return
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {each: signal.getsignal(each) for each in _SIGNALS}

    def heard(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell)
        server = before[signal.Signals(number)]
        if callable(server):
            server(number, frame)

    # Loops hear of a signal by a file descriptor that is written to for every handler, so theirs are not lost by ours.
    ours = [each for each in _SIGNALS if callable(before[each])]
    for each in ours:
        signal.signal(each, heard)
    try:
        yield
    finally:
        for each in ours:
            if signal.getsignal(each) is heard:
                signal.signal(each, before[each])
