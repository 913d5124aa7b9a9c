"""Reads of many requests in one statement.

Orders that were committed together are read together: the requests behind them wake in the same turn of the event loop, ask for
the same kind of thing, and are answered by one statement instead of one each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import copy_context
from typing import Generic, TypeVar

from kameng.db.database import Database
from kameng.db.transaction import Scope

K = TypeVar("K")
V = TypeVar("V")

MOST = 1_000
"""Keys of one statement."""

_Waiting = tuple[Sequence[K], asyncio.Future[Mapping[K, V]]]


class Together(Generic[K, V]):
    """Reads things by key for whoever asks in one turn of the event loop or the next.

    What it gives goes to several requests, so it is what all of them may see, and nobody changes it. Tasks of one
    transaction read together within it, and with nobody else.

    Args:
        db: where to read.
        read: reads the things of distinct keys, at most `MOST`; a key without a thing is left out.
    """

    def __init__(self, db: Database, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._db = db
        self._read = read
        self._waiting: dict[Scope | None, list[_Waiting[K, V]]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def read(self, keys: Sequence[K]) -> Mapping[K, V]:
        """The things of these keys, and perhaps of others; read after this call began."""
        loop = asyncio.get_running_loop()
        scope = self._db.scope
        answer: asyncio.Future[Mapping[K, V]] = loop.create_future()
        waiting = self._waiting.setdefault(scope, [])
        waiting.append((keys, answer))
        if len(waiting) == 1:
            # In the context of who came first, which has the transaction that all of them are in.
            loop.call_soon(self._begin, scope, context=copy_context())
        return await answer

    def _begin(self, scope: Scope | None) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(scope))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, scope: Scope | None) -> None:
        # Taken only now, a turn after the first came: of fields that wait side by side some ask a turn later than others.
        waiting = self._waiting.pop(scope)
        keys = list(dict.fromkeys(key for asked, answer in waiting if not answer.done() for key in asked))
        found: dict[K, V] = {}
        try:
            for first in range(0, len(keys), MOST):
                found.update(await self._read(keys[first : first + MOST]))
        except BaseException as error:
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error if isinstance(error, Exception) else _cut_off())
            if not isinstance(error, Exception):
                raise
            return
        for _, answer in waiting:
            if not answer.done():
                answer.set_result(found)


def _cut_off() -> Exception:
    return ConnectionAbortedError("The process stopped while it was reading.")
