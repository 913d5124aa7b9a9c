"""The lines of all processes in one stream, each with the name of its process in front."""

import os
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

OWN_NAME = "kameng"
COLOURS = (
    "36",
    "32",
    "35",
    "34",
    "33",
    "96",
    "92",
    "95",
)  # ANSI: cyan, green, magenta, blue, yellow and their bright
RESET = "\x1b[0m"
LONGEST_QUEUE = 10_000  # lines
LAST_WORDS = 2.0  # seconds to get them out


class Output:
    """Writes lines without ever making the supervisor wait.

    A terminal that was paused, or a pager that nobody scrolls, takes nothing; then lines queue up here, and
    the oldest are dropped when there are too many. A reader who has gone away silences us and stops nothing.

    Args:
        names: of the processes.
        stream: where to; by default standard output.
        colour: whether to colour the names; found out by default.
    """

    def __init__(
        self, names: Sequence[str], *, stream: TextIO | None = None, colour: bool | None = None
    ) -> None:
        self._stream = stream or sys.stdout
        self._encoding = getattr(self._stream, "encoding", None) or "utf-8"
        if colour is None:
            colour = wants_colour(self._stream, os.environ)
        width = max(len(name) for name in (OWN_NAME, *names))
        self._prefixes = {
            name: _prefix(name, width, COLOURS[i % len(COLOURS)], colour) for i, name in enumerate(names)
        }
        self._prefixes[OWN_NAME] = _prefix(OWN_NAME, width, "1", colour)
        self._lines: deque[str] = deque(maxlen=LONGEST_QUEUE)
        self._dropped = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def line(self, name: str, text: str) -> None:
        """A line that a process wrote."""
        with self._changed:
            self._dropped += len(self._lines) == LONGEST_QUEUE
            self._lines.append(self._prefixes[name] + text)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="kameng-output", daemon=True)
                self._thread.start()

    def say(self, text: str) -> None:
        """Something that the supervisor has to say; may have several lines."""
        for line in text.splitlines():
            self.line(OWN_NAME, line)

    def close(self) -> None:
        """Write what is left, unless nobody takes it."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(LAST_WORDS)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closed)
                if not self._lines:
                    return
                lines, dropped = list(self._lines), self._dropped
                self._lines.clear()
                self._dropped = 0
            if dropped:
                lines.insert(0, f"{self._prefixes[OWN_NAME]}({dropped} lines dropped: nobody read them)")
            text = "\n".join([*lines, ""])
            try:
                self._stream.write(text.encode(self._encoding, "replace").decode(self._encoding))
                self._stream.flush()
            except OSError:
                # The reader is gone. The processes go on.
                self._silence()
            except ValueError:
                return  # somebody has closed the stream

    def _silence(self) -> None:
        """Let everything written from now on vanish, ours and what Python flushes at its end."""
        with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to write colours: by https://no-color.org, FORCE_COLOR, else only to a terminal."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"


def _prefix(name: str, width: int, code: str, colour: bool) -> str:
    text = f"{name:<{width}} | "
    return f"\x1b[{code}m{text}{RESET}" if colour else text
