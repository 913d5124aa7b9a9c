"""A process that runs operations as often as it is told, all at once, and says what the bucket let it spend.

It waits for a line on its standard input, so that several begin together.
"""

import asyncio
import sys

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from kameng.graphql.bucket import CostBucket
from kameng.graphql.refusals import BudgetExhausted


async def main(redis_url: str, capacity: int, refill: int, cost: int, tries: int) -> None:
    # On a machine so busy that an answer is read too late, the client would send a take again that was granted before.
    once = Retry(NoBackoff(), 0)
    async with Redis.from_url(redis_url, retry=once, socket_timeout=None) as valkey:
        await valkey.ping()
        bucket = CostBucket(valkey, capacity=capacity, refill=refill, name="test", patience=120)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        results = await asyncio.gather(
            *(bucket.charge("member:1", cost) for _ in range(tries)), return_exceptions=True
        )
    refused = [result for result in results if isinstance(result, BudgetExhausted)]
    assert all(result is not None for result in results), "Valkey was away"
    assert all(not isinstance(result, Exception) or result in refused for result in results), results
    print((tries - len(refused)) * cost, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
