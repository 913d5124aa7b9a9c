"""The memory of the processes of a soak, from second to second.

Each generation of web processes lives from one reload to the next, so what leaks within one cannot be seen across them. Therefore
the last third of a soak has no reload: what grows there, after a while to warm up, grows for good.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import psutil

from kameng.graphql.execution import CACHE_BYTES

MOST_BYTES = 300_000_000
"""Resident bytes of a web process: 200 MB of its own, and caches of documents of both schemas that are full."""

GROWTH = 0.10
"""How much a process may grow between the first and the last tenth of the time without reloads, after a third of it to warm up."""

SLACK = 8_000_000
"""Growth in bytes that says nothing: an allocator takes memory in pieces."""

FULL_SECONDS = 900.0
"""After so long without a reload the caches of documents are full; until then they may grow as far as they may."""


@dataclass
class Life:
    """A process as it was seen: pairs of time and resident bytes."""

    name: str
    seen: list[tuple[float, int]] = field(default_factory=list)

    @property
    def most(self) -> int:
        return max(size for _, size in self.seen)

    def between(self, start: float, end: float) -> list[int]:
        return [size for at, size in self.seen if start <= at <= end]


class Watch:
    """Watches a server's main process and all its children.

    Args:
        main: the main process.
    """

    def __init__(self, main: int) -> None:
        self._main = psutil.Process(main)
        self.lives: dict[int, Life] = {main: Life("main")}
        self.quiet_since = 0.0

    def workers(self) -> set[int]:
        """The web processes that live now."""
        return {child.pid for child in self._main.children()}

    def look(self) -> None:
        """Note how large each process is now."""
        now = time.monotonic()
        for process in (self._main, *self._main.children()):
            try:
                size = process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            if size:  # else it has ended, and nobody has asked it for its exit code yet
                life = self.lives.setdefault(process.pid, Life(f"web {len(self.lives)}"))
                life.seen.append((now, size))

    def faults(self) -> list[str]:
        """What is wrong with what was seen."""
        found = [
            f"{life.name} had {life.most / 1e6:.0f} MB; {MOST_BYTES / 1e6:.0f} MB are allowed"
            for life in self.lives.values()
            if life.most > MOST_BYTES
        ]
        for name, before, after in self.growth():
            if after - before > before * GROWTH + self._slack():
                found.append(f"{name} grew from {before / 1e6:.0f} to {after / 1e6:.0f} MB without a reload")
        return found

    def _slack(self) -> int:
        end = max(at for life in self.lives.values() for at, _ in life.seen)
        return SLACK if end - self.quiet_since >= FULL_SECONDS else SLACK + 2 * CACHE_BYTES

    def growth(self) -> list[tuple[str, float, float]]:
        """For each process that lived to the end: its name, its mean size when warm and its mean size at the end."""
        end = max(at for life in self.lives.values() for at, _ in life.seen)
        span = end - self.quiet_since
        warm = self.quiet_since + span / 3
        tenth = (end - warm) / 10
        grown = []
        for life in self.lives.values():
            early, late = life.between(warm, warm + tenth), life.between(end - tenth, end)
            if early and late and life.seen[0][0] <= warm:
                grown.append((life.name, sum(early) / len(early), sum(late) / len(late)))
        return grown

    def report(self) -> list[str]:
        """A line for each process."""
        return [
            f"  {life.name:8} first {life.seen[0][1] / 1e6:6.1f} MB, last {life.seen[-1][1] / 1e6:6.1f} MB, "
            f"most {life.most / 1e6:6.1f} MB, seen for {life.seen[-1][0] - life.seen[0][0]:5.0f} s"
            for life in self.lives.values()
            if life.seen
        ]
