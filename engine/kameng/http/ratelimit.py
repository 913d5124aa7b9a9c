"""Rate limits that hold over all processes of a deployment.

The window moves and lives in Valkey, where a script counts and adds in one step: a limit of 50 lets 50 pass,
    not 50 for each process. What happens while Valkey is away is a choice of each rule: who merely browses
    passes, with a warning in the log; whoever guesses at a secret does not.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog
from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from kameng.errors import RateLimited, UnavailableError

if TYPE_CHECKING:
    from redis.asyncio import Redis

CLOSED = frozenset(
    {"login", "second_factor", "password_reset", "register", "one_time_token", "coupon", "card_lookup"}
)
"""Rules that let nobody pass while Valkey is away, by default: those that keep somebody from guessing."""

_AT_ONCE = 8  # checks under way in a process; the others wait, rather than open a connection each

log = structlog.get_logger(__name__)


class RateLimiter:
    """Limits how often something may be tried.

        await kernel.auth.limiter.check("login", login_name, "5/minute;30/hour")

    Args:
        valkey: the kernel's client, whose connections it shares.
        closed: names of rules that let nobody pass while Valkey is away.
        patience: seconds that a check may take in all before Valkey counts as away; less than the client waits, who
            would ask again, and a try that was counted already would be counted twice.
    """

    def __init__(self, valkey: Redis, *, closed: Collection[str] = CLOSED, patience: float = 2.0) -> None:
        self._closed = frozenset(closed)
        self._patience = patience
        self._turn = asyncio.Semaphore(_AT_ONCE)
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="kameng:limit",
            connection_pool=valkey.connection_pool,  # type: ignore[arg-type]  # annotated as a plain value
        )
        self._window = MovingWindowRateLimiter(storage)

    async def check(
        self, rule: str, key: str, limit: str, *, cost: int = 1, closed: bool | None = None
    ) -> None:
        """Count a try, or refuse it.

        Args:
            rule: what is tried, such as ``login``; each rule counts for itself.
            key: by whom or on what, such as an address or a login name. Only its hash leaves the process.
            limit: such as ``5/minute``; several are separated by ``;``, and all must hold.
            cost: how many tries this one counts for.
            closed: whether to refuse while Valkey is away; None: if the rule is one of those that are.

        Raises:
            RateLimited: too many tries; ``retry_after`` says how many seconds to wait.
            UnavailableError: Valkey does not answer, and the rule is closed then.
        """
        hidden = sha256(key.encode()).hexdigest()[:32]
        try:
            async with asyncio.timeout(self._patience), self._turn:
                for item in _items(limit):
                    if not await self._window.hit(item, rule, hidden, cost=cost):
                        raise await self._refusal(item, rule, hidden)
        except (RedisError, OSError) as error:
            if rule in self._closed if closed is None else closed:
                raise UnavailableError(
                    "This cannot be accepted at the moment: Redis or Valkey does not answer.",
                    cure="Try again in a moment.",
                ) from error
            log.warning("rate_limit_not_checked", rule=rule, reason=type(error).__name__)

    async def reset(self, rule: str, key: str, limit: str) -> None:
        """Forget the tries, after one that succeeded, say. Without effect while Valkey is away."""
        hidden = sha256(key.encode()).hexdigest()[:32]
        try:
            async with asyncio.timeout(self._patience), self._turn:
                for item in _items(limit):
                    await self._window.clear(item, rule, hidden)
        except (RedisError, OSError) as error:
            log.warning("rate_limit_not_reset", rule=rule, reason=type(error).__name__)

    async def _refusal(self, item: RateLimitItem, rule: str, hidden: str) -> RateLimited:
        stats = await self._window.get_window_stats(item, rule, hidden)
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        return RateLimited("Too many tries.", retry_after=wait)


@lru_cache(maxsize=1024)
def _items(limit: str) -> tuple[RateLimitItem, ...]:
    return tuple(parse_many(limit))
