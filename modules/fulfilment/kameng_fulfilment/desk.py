"""The order desk: orders that arrive together are committed together.

A thousand buyers of one hot product are a few transactions, not a thousand queues on one row. A request waits a moment for
company (the linger), and not at all while earlier batches are still being committed, since then the queue grows by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import structlog

from kameng.db import CommitUnknown
from kameng.errors import Refusal, UnavailableError
from kameng_fulfilment.outcomes import BatchResult, Outcome, key_conflict
from kameng_fulfilment.placing import Placing
from kameng_fulfilment.settings import FulfilmentSettings

if TYPE_CHECKING:
    from uuid import UUID

    from kameng_fulfilment.requests import OrderRequest

log = structlog.get_logger(__name__)

_CONTESTED_TRIES = 10
"""How often a request is tried again while others hold the stock that it needs and have not paid."""

_CONTESTED_PAUSE = 0.005
"""Seconds before the first of these tries; each further pause is as much longer."""

_ALONE_TRIES = 5
"""How often a request is tried by itself when somebody else places the same one at the same moment."""


class _Waiting:
    __slots__ = ("answer", "request", "tries")

    def __init__(self, request: OrderRequest, answer: asyncio.Future[Outcome]) -> None:
        self.request = request
        self.answer = answer
        self.tries = 0


class OrderDesk:
    """Collects requests into batches and hands each its outcome.

    Args:
        placing: places a batch.
        settings: how long to wait for company, and for how much of it.
        writers: transactions that are committed at the same time.
    """

    def __init__(self, placing: Placing, settings: FulfilmentSettings, writers: int) -> None:
        self._placing = placing
        self._linger = settings.batch_linger_ms / 1000
        self._most = settings.batch_size
        self._queue: deque[_Waiting] = deque()
        self._free = writers
        self._waking: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._resting: set[asyncio.Task[None]] = set()
        self._closed = False

    async def place(self, request: OrderRequest) -> UUID:
        """Place an order; returns its key, also when the same request was carried out before.

        The order goes on even if the caller is cancelled meanwhile: ask again with the same key.

        Raises:
            Refusal: why it was not placed; nothing was changed.
            UnavailableError: the outcome is not known; ask again with the same key.
        """
        if self._closed:
            raise UnavailableError(
                "This process is stopping.", cure="Send the request again with the same key."
            )
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(request, answer))
        self._wake()
        outcome = await asyncio.shield(answer)
        if isinstance(outcome, Refusal):
            # A fresh object for each caller: a refusal that several requests share would grow one traceback.
            raise type(outcome)(outcome.message, cure=outcome.cure, path=outcome.path)
        return outcome

    async def close(self) -> None:
        """Take no more requests and finish those that wait."""
        self._closed = True
        while self._queue or self._running or self._resting:
            self._start_batches()
            await asyncio.gather(*self._running, *self._resting, return_exceptions=True)

    def _wake(self) -> None:
        if len(self._queue) >= self._most:
            self._start_batches()
        elif self._waking is None and self._free:
            self._waking = asyncio.get_running_loop().call_later(self._linger, self._start_batches)

    def _start_batches(self) -> None:
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        while self._queue and self._free:
            self._free -= 1
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._most))]
            # An empty context: a batch belongs to no request, so it must not join a request's transaction or log lines.
            task = asyncio.get_running_loop().create_task(self._run(batch), context=Context())
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free += 1
        if self._queue:
            self._start_batches()

    async def _run(self, batch: list[_Waiting]) -> None:
        first: dict[tuple[UUID, str], _Waiting] = {}
        twins: list[tuple[_Waiting, _Waiting]] = []
        for waiting in batch:
            same = first.setdefault((waiting.request.member, waiting.request.key), waiting)
            if same is not waiting:
                twins.append((waiting, same))
        leaders = list(first.values())
        try:
            await self._place(leaders)
        except (
            Exception
        ) as error:  # a fault of the batch as a whole: each of its members gets a try of its own
            if len(leaders) > 1:
                log.warning("order batch failed, trying one by one", size=len(leaders), error=repr(error))
            for waiting in leaders:
                if not waiting.answer.done():
                    await self._alone(waiting)
        for waiting, same in twins:
            if waiting.request.fingerprint != same.request.fingerprint:
                _answer(waiting, key_conflict())
            elif same.answer.done():
                _follow(waiting, same.answer)
            else:
                same.answer.add_done_callback(partial(_follow, waiting))

    async def _place(self, batch: list[_Waiting]) -> None:
        result: BatchResult = await self._placing.place([waiting.request for waiting in batch])
        again = set(result.contested)
        for place, (waiting, outcome) in enumerate(zip(batch, result.outcomes, strict=True)):
            if place in again and waiting.tries < _CONTESTED_TRIES:
                waiting.tries += 1
                self._again(waiting)
            else:
                _answer(waiting, outcome)

    def _again(self, waiting: _Waiting) -> None:
        async def later() -> None:
            await asyncio.sleep(waiting.tries * _CONTESTED_PAUSE)
            self._queue.append(waiting)
            self._wake()

        task = asyncio.get_running_loop().create_task(later(), context=Context())
        self._resting.add(task)
        task.add_done_callback(self._resting.discard)

    async def _alone(self, waiting: _Waiting) -> None:
        for attempt in range(_ALONE_TRIES):
            try:
                result = await self._placing.place([waiting.request])
                if result.contested and waiting.tries < _CONTESTED_TRIES:
                    waiting.tries += 1
                    self._again(waiting)
                    return
            except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, CommitUnknown) as error:
                # The same key was committed a moment ago, or may have been: the next try reads it.
                last: Exception = error
                log.warning("order tried again", attempt=attempt + 1, error=repr(error))
            except Exception as error:
                # The caller gets the fault and logs it with its correlation id.
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
                return
            else:
                _answer(waiting, result.outcomes[0])
                return
        if not waiting.answer.done():
            waiting.answer.set_exception(last)


def _answer(waiting: _Waiting, outcome: Outcome) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(outcome)


def _follow(waiting: _Waiting, leader: asyncio.Future[Outcome]) -> None:
    if waiting.answer.done() or leader.cancelled():
        return
    error = leader.exception()
    if error is not None:
        waiting.answer.set_exception(error)
    else:
        waiting.answer.set_result(leader.result())
