"""A process that tries something as often as it is told, all at once, and says how often it passed.

It waits for a line on its standard input, so that several begin together.
"""

import asyncio
import sys

from redis.asyncio import Redis

from kameng.errors import RateLimited
from kameng.http.ratelimit import RateLimiter


async def main(redis_url: str, key: str, limit: str, tries: int) -> None:
    async with Redis.from_url(redis_url, socket_timeout=None) as valkey:
        await valkey.ping()
        limiter = RateLimiter(valkey, patience=120)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        results = await asyncio.gather(
            *(limiter.check("login", key, limit) for _ in range(tries)), return_exceptions=True
        )
    assert all(result is None or isinstance(result, RateLimited) for result in results), results
    print(results.count(None), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
