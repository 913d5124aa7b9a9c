"""A bucket of cost for each principal, which holds over all processes of a deployment.

The bucket lives in Valkey, where one script refills it by Valkey's own clock and takes from it in one step. Costly operations
take exactly what they cost. Cheap ones would pay more for the way than for the work, so a process takes a small lease for
them and spends it by itself. Tokens of a lease have left the bucket before anybody spends them: all processes together never
spend more than the bucket held. What a lease does not use within its time is forgotten, on the safe side.
"""

from __future__ import annotations

import asyncio
import math
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from redis.exceptions import RedisError

from kameng.graphql.refusals import BudgetExhausted

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger(__name__)

CHEAP = 200
"""An operation up to this cost is paid from a lease."""

LEASE_SECONDS = 2.0
"""How long a process may spend a lease."""

_LEASE_SHARE = 20  # of a bucket: what waits in leases must stay small beside it
_LONGEST_LEASE = 5_000
_AT_ONCE = 8  # takes under way in a process; the others wait, rather than open a connection each
_PAUSE = 1.0  # seconds for which nobody asks again after Valkey was away
_MOST_PRINCIPALS = 10_000

# Tokens are millionths in here: a rate by the second times microseconds, all of it whole numbers that a double holds.
_TAKE = """
local capacity, rate = tonumber(ARGV[1]) * 1000000, tonumber(ARGV[2])
local need, want = tonumber(ARGV[3]) * 1000000, tonumber(ARGV[4]) * 1000000
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = capacity
if known[1] then
    local passed = math.min(math.max(0, now - tonumber(known[2])), 1000000 * 86400)
    tokens = math.min(capacity, tonumber(known[1]) + math.min(passed * rate, capacity))
    now = math.max(now, tonumber(known[2]))
end
local granted = 0
if tokens >= need then
    granted = math.min(want, math.floor(tokens / 1000000) * 1000000)
    tokens = tokens - granted
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.0f', tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / rate / 1000) + 1000)
return {granted / 1000000, math.floor(tokens / 1000000)}
"""


class Level(msgspec.Struct, frozen=True):
    """How full a bucket is, as ``extensions.cost`` tells it.

    Attributes:
        available: what can be spent at once.
        restore_rate: what comes back in a second.
        maximum: what it holds at most.
    """

    available: int
    restore_rate: int
    maximum: int

    def shown(self) -> dict[str, int]:
        """As JSON has it."""
        return {"available": self.available, "restoreRate": self.restore_rate, "maximum": self.maximum}


class _Lease:
    __slots__ = ("ends", "left", "rest")

    def __init__(self) -> None:
        self.left = 0
        self.rest = 0  # what was in the bucket after it was taken
        self.ends = 0.0


class CostBucket:
    """Charges operations to principals.

    Args:
        valkey: the kernel's client.
        capacity: what a bucket holds.
        refill: what comes back in a second.
        name: tells apart the buckets of the two schemas.
        patience: seconds for which Valkey may take to answer.
    """

    def __init__(
        self, valkey: Redis, *, capacity: int, refill: int, name: str, patience: float = 2.0
    ) -> None:
        self.capacity = capacity
        self.refill = refill
        self._name = name
        self._patience = patience
        self._take: Any = valkey.register_script(_TAKE)
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._lease_size = min(capacity // _LEASE_SHARE, _LONGEST_LEASE)
        self._leases: dict[str, _Lease] = {}
        self._empty: dict[str, tuple[int, float]] = {}
        self._away_until = 0.0

    def from_lease(self, principal: str, cost: int) -> Level | None:
        """Pay a cheap operation from the lease at hand; None where it has to be asked for."""
        lease = self._leases.get(principal)
        if lease is None or lease.left < cost or lease.ends < time.monotonic():
            return None
        lease.left -= cost
        return Level(lease.rest + lease.left, self.refill, self.capacity)

    async def charge(self, principal: str, cost: int) -> Level | None:
        """Take what an operation costs; None where Valkey is away, and the operation passes.

        Args:
            principal: whose bucket.
            cost: at least 1.

        Raises:
            BudgetExhausted: the bucket holds less.
        """
        if cost <= CHEAP and self._lease_size >= 2 * cost:
            return self.from_lease(principal, cost) or await self._charge(principal, cost, self._lease_size)
        return await self._charge(principal, cost, cost)

    async def _charge(self, principal: str, cost: int, want: int) -> Level | None:
        key = f"kameng:cost:{self._name}:{sha256(principal.encode()).hexdigest()[:32]}"
        async with self._turn:
            # While this waited, somebody else may have taken a lease, or found the bucket empty or Valkey away.
            level = self.from_lease(principal, cost) if want > cost else None
            if level is not None or self._away_until > time.monotonic():
                return level
            self._check_empty(principal, cost)
            try:
                async with asyncio.timeout(self._patience):
                    granted, rest = await self._take(
                        keys=[key], args=[self.capacity, self.refill, cost, want]
                    )
            except (RedisError, OSError) as error:  # a time-out is an OSError
                self._away_until = time.monotonic() + _PAUSE
                log.warning("graphql_cost_not_charged", reason=type(error).__name__)
                return None
            if not granted:
                if len(self._empty) >= _MOST_PRINCIPALS:
                    self._empty.clear()
                self._empty[principal] = (rest, time.monotonic())
                raise self._refusal(cost, rest)
            if want > cost:
                self._keep(principal, granted - cost, rest)
        return Level(rest + granted - cost, self.refill, self.capacity)

    def _check_empty(self, principal: str, cost: int) -> None:
        """Refuse what cannot be paid by what was found last and what was refilled since; others only take away."""
        known = self._empty.get(principal)
        if known is None:
            return
        rest = known[0] + math.ceil((time.monotonic() - known[1]) * self.refill) + 1
        if rest < cost:
            raise self._refusal(cost, rest)
        del self._empty[principal]

    def _refusal(self, cost: int, rest: int) -> BudgetExhausted:
        if cost > self.capacity:
            return BudgetExhausted(
                f"This costs {cost:,}; at most {self.capacity:,} can be spent at once.",
                cure="Ask for less at once.",
            )
        wait = max(1, math.ceil((cost - rest) / self.refill))
        return BudgetExhausted(
            f"This costs {cost:,}, and {rest:,} are left for now.",
            cure=f"Try again in {wait} s, or ask for less.",
            retry_after=wait,
        )

    def _keep(self, principal: str, tokens: int, rest: int) -> None:
        now = time.monotonic()
        lease = self._leases.get(principal)
        if lease is None:
            if len(self._leases) >= _MOST_PRINCIPALS:
                self._leases.clear()  # forgetting a lease spends nothing
            lease = self._leases[principal] = _Lease()
        elif lease.ends < now:
            lease.left = 0
        lease.left += tokens
        lease.rest = rest
        lease.ends = now + LEASE_SECONDS
