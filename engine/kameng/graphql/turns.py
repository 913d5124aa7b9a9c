"""So many operations at once, and the newest first while more wait: a crowd does not stand in everybody's way.

When five thousand buyers ask in the same second, a queue in the order of arrival makes each later request wait for all of
them: buyers of other products, the payment's callback, the staff. Here whoever comes while the crowd waits is served
before it, and the crowd by what is left over, but never less than every fourth turn.
"""

from __future__ import annotations

import asyncio
from collections import deque

OLDEST_EVERY = 4
"""Each turn of this number goes to whoever has waited longest."""


class Turns:
    """Turns of one process. Costs next to nothing while there are enough.

    Args:
        at_once: how many have their turn at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._given = 0

    @property
    def waiting(self) -> int:
        """How many wait now, about: those who gave up are found out later."""
        return len(self._waiting)

    async def enter(self) -> None:
        """Wait for a turn. Whoever gets one gives it back by `leave`."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # it came in the moment in which nobody wanted it any more
            raise

    def leave(self) -> None:
        """Give the turn to the next."""
        while self._waiting:
            self._given += 1
            oldest = self._given % OLDEST_EVERY == 0
            turn = self._waiting.popleft() if oldest else self._waiting.pop()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
