"""The bucket of cost: exact across processes, refilled with time, and no hurdle while Valkey is away."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from kameng.graphql.bucket import CHEAP, CostBucket
from kameng.graphql.refusals import BudgetExhausted
from kameng.testing.databases import TestServices
from tests.engine.graphql.conftest import MakeSite
from tests.engine.graphql.sample import SEEN

PROCESS = Path(__file__).parent / "charging_process.py"
NEVER = 1
"""A refill of one in a second: nothing within a test, compared with what is spent."""


def _last_database(services: TestServices) -> str:
    return f"{services.redis_url.rstrip('/').removesuffix('/0')}/{services.valkey_databases - 1}"


@pytest_asyncio.fixture(loop_scope="session")
async def valkey(services: TestServices) -> AsyncIterator[Redis]:
    async with Redis.from_url(_last_database(services), socket_timeout=None) as client:
        await client.flushdb()
        yield client


async def spend(services: TestServices, *, capacity: int, cost: int, tries: int, processes: int = 4) -> int:
    arguments = [_last_database(services), *map(str, (capacity, NEVER, cost, tries))]
    pipe = asyncio.subprocess.PIPE
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(PROCESS), *arguments, stdin=pipe, stdout=pipe
        )
        for _ in range(processes)
    ]
    for process in running:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    spent = 0
    for out, _ in await asyncio.gather(*(process.communicate(b"go\n") for process in running)):
        spent += int(out)
    return spent


async def test_costly_operations_of_four_processes_spend_exactly_what_the_bucket_holds(
    services: TestServices, valkey: Redis
) -> None:
    # 4 × 100 tries of 97 are worth 38,800; of 9,700 and what is refilled meanwhile no 101st can be paid.
    assert await spend(services, capacity=9_700, cost=97, tries=100) == 9_700


async def test_cheap_operations_of_four_processes_never_spend_more_than_the_bucket_holds(
    services: TestServices, valkey: Redis
) -> None:
    capacity, cost = 10_000, 7
    spent = await spend(services, capacity=capacity, cost=cost, tries=1_000)

    # What refills while the processes run is a token a second; what is left over lies in leases.
    assert spent <= capacity + 60
    assert spent > capacity - 4 * (capacity // 20) - cost


async def test_a_cheap_operation_takes_a_lease_and_the_next_ones_pay_from_it(valkey: Redis) -> None:
    bucket = CostBucket(valkey, capacity=10_000, refill=NEVER, name="t", patience=120)
    who = str(uuid4())

    first = await bucket.charge(who, 10)
    calls = (await valkey.info("commandstats")).get("cmdstat_evalsha", {}).get("calls", 0)
    second = await bucket.charge(who, 10)

    assert (await valkey.info("commandstats")).get("cmdstat_evalsha", {}).get("calls", 0) == calls
    assert first is not None
    assert second is not None
    assert (first.available, second.available) == (9_990, 9_980)


async def test_the_bucket_refills_up_to_its_rim(valkey: Redis) -> None:
    bucket = CostBucket(valkey, capacity=1_000, refill=2_000, name="t", patience=120)
    who = str(uuid4())
    await bucket.charge(who, 1_000)
    with pytest.raises(BudgetExhausted):
        await bucket.charge(who, 900)

    await asyncio.sleep(1.0)

    level = await bucket.charge(who, 1_000)
    assert level is not None
    assert level.available < 1_000


async def test_a_refusal_says_when_to_come_back_and_takes_nothing(valkey: Redis) -> None:
    bucket = CostBucket(valkey, capacity=1_000, refill=10, name="t", patience=120)
    who = str(uuid4())
    await bucket.charge(who, 900)

    with pytest.raises(BudgetExhausted) as refused:
        await bucket.charge(who, 300)

    assert refused.value.retry_after == 20
    assert await bucket.charge(who, 100) is not None


async def test_principals_have_buckets_of_their_own(valkey: Redis) -> None:
    bucket = CostBucket(valkey, capacity=100, refill=NEVER, name="t", patience=120)
    await bucket.charge("member:a", 100)

    assert await bucket.charge("member:b", 100) is not None


async def test_operations_pass_while_valkey_is_away() -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as away:
        bucket = CostBucket(away, capacity=100, refill=NEVER, name="t")
        assert await bucket.charge("member:a", 1_000) is None
        assert await bucket.charge("member:a", CHEAP) is None


async def test_who_has_spent_the_budget_is_told_by_status_and_code(make_site: MakeSite) -> None:
    site = await make_site(bucket_capacity=250, bucket_refill=1)
    query = "{ things(first: 100) { nodes { id } } }"

    for left in (149, 48):
        answer = await site.post(query)
        bucket = answer["extensions"]["cost"]["bucket"]
        assert left <= bucket["available"] <= left + 5
    answer = await site.post(query)

    assert answer["status"] == 429
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_BUDGET_EXHAUSTED"
    assert SEEN.resolved == 2
