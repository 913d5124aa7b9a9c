"""A reference client in a process of its own, whose answers are read as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from .node import HERE

PATIENCE = 60.0
"""Seconds after which a test gives up waiting; no measure of anything."""


class Subscriber:
    """A running client with some connections.

    Args:
        process: `node` with one of the scripts beside this file.
        connections: how many it opens.
    """

    def __init__(self, process: asyncio.subprocess.Process, connections: int) -> None:
        self._process = process
        self._connections = connections
        self.seen: list[dict[str, Any]] = []

    @classmethod
    @asynccontextmanager
    async def started(
        cls, script: str, url: str, token: str, query: str, variables: dict[str, Any], connections: int
    ) -> AsyncIterator[Subscriber]:
        """Subscribe until the block ends."""
        process = await asyncio.create_subprocess_exec(
            "node", str(HERE / script), url, token, query, json.dumps(variables), str(connections),
            cwd=HERE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield cls(process, connections)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()

    async def each(self, **expected: Any) -> None:
        """Wait until each connection has told something that holds what is expected, after what was waited for before."""
        missing = set(range(self._connections))
        assert self._process.stdout is not None
        while missing:
            try:
                line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
            except TimeoutError:
                raise AssertionError(f"nothing more came; the client told {self.seen}") from None
            assert line, f"the client ended; it told {self.seen}"
            told = json.loads(line)
            self.seen.append(told)
            assert told["event"] != "error", told
            if all(told.get(key) == value for key, value in expected.items()):
                missing.discard(told["connection"])
