"""A limit holds exactly, over all processes, and says when to come back."""

import asyncio
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from kameng.errors import RateLimited, UnavailableError
from kameng.http.ratelimit import RateLimiter
from kameng.ids import new_id

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def valkey(services):
    async with Redis.from_url(services.redis_url, socket_timeout=None) as client:
        yield client


@pytest.fixture
async def away():
    async with Redis.from_url("redis://127.0.0.1:1") as client:
        yield client


@pytest.fixture
def limiter(valkey):
    return RateLimiter(valkey, patience=120)


@pytest.fixture
def key():
    return f"ann-{new_id()}@shop.example"


async def passed(limiter, rule, key, limit, tries):
    """How many of so many tries pass."""
    count = 0
    for _ in range(tries):
        try:
            await limiter.check(rule, key, limit)
            count += 1
        except RateLimited:
            pass
    return count


async def test_as_many_pass_as_the_limit_says(limiter, key):
    assert await passed(limiter, "login", key, "5/minute", 8) == 5


async def test_over_several_processes_it_is_the_same_limit(services, key):
    # given four processes that try 40 times each, together, against a limit of 50
    command = [
        sys.executable,
        "-m",
        "tests.engine.http.limited_process",
        services.redis_url,
        key,
        "50/minute",
        "40",
    ]
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe) for _ in range(4)
    ]
    for process in processes:
        assert await process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.write(b"go\n")
    counts = [int(await process.stdout.readline()) for process in processes]
    assert [await process.wait() for process in processes] == [0, 0, 0, 0]

    # then exactly 50 pass
    assert sum(counts) == 50


async def test_a_burst_neither_needs_a_connection_each_nor_slips_through(services, key):
    # given a client that may open ten connections, and 300 that try at once
    async with Redis.from_url(services.redis_url, max_connections=10, socket_timeout=None) as valkey:
        limiter = RateLimiter(valkey, patience=120)
        results = await asyncio.gather(
            *(limiter.check("browse", key, "20/minute") for _ in range(300)), return_exceptions=True
        )
    assert results.count(None) == 20
    assert {type(result) for result in results} == {type(None), RateLimited}


async def test_the_refusal_says_how_long_to_wait(limiter, key):
    await limiter.check("login", key, "1/minute")
    with pytest.raises(RateLimited) as refused:
        await limiter.check("login", key, "1/minute")
    assert 1 <= refused.value.retry_after <= 60
    assert refused.value.cure == f"Try again in {refused.value.retry_after} s."
    assert key not in str(refused.value)


async def test_after_that_long_a_try_passes(limiter, key):
    await limiter.check("login", key, "2/second", cost=2)
    with pytest.raises(RateLimited) as refused:
        await limiter.check("login", key, "2/second")
    assert refused.value.retry_after == 1
    await asyncio.sleep(refused.value.retry_after)
    await limiter.check("login", key, "2/second")


async def test_a_refused_try_does_not_count(limiter, key):
    assert await passed(limiter, "login", key, "2/second", 10) == 2
    await asyncio.sleep(1.01)
    assert await passed(limiter, "login", key, "2/second", 10) == 2


async def test_rules_and_keys_count_for_themselves(limiter, key):
    assert await passed(limiter, "login", key, "2/minute", 3) == 2
    assert await passed(limiter, "coupon", key, "2/minute", 3) == 2
    assert await passed(limiter, "login", key + "x", "2/minute", 3) == 2


async def test_of_several_limits_all_must_hold(limiter, key):
    assert await passed(limiter, "login", key, "4/hour;2/second", 3) == 2
    await asyncio.sleep(1.01)
    assert await passed(limiter, "login", key, "4/hour;2/second", 1) == 1
    with pytest.raises(RateLimited) as refused:
        await limiter.check("login", key, "4/hour;2/second", cost=2)
    assert refused.value.retry_after > 60


async def test_a_try_can_count_for_several(limiter, key):
    await limiter.check("card_lookup", key, "10/minute", cost=8)
    with pytest.raises(RateLimited):
        await limiter.check("card_lookup", key, "10/minute", cost=3)
    await limiter.check("card_lookup", key, "10/minute", cost=2)


async def test_tries_can_be_forgotten(limiter, key):
    assert await passed(limiter, "login", key, "2/minute", 3) == 2
    await limiter.reset("login", key, "2/minute")
    assert await passed(limiter, "login", key, "2/minute", 3) == 2


async def test_the_key_does_not_leave_the_process(limiter, key, valkey):
    before = {name async for name in valkey.scan_iter("kameng:limit:*")}
    await limiter.check("login", key, "5/minute")
    (name,) = {name async for name in valkey.scan_iter("kameng:limit:*")} - before
    assert b"login" in name
    assert key.encode() not in name


class TestWithoutValkey:
    async def test_who_browses_passes_and_the_log_tells(self, away):
        with capture_logs() as logs:
            await RateLimiter(away).check("browse", "203.0.113.7", "5/minute")
        assert [(entry["event"], entry["rule"], entry["log_level"]) for entry in logs] == [
            ("rate_limit_not_checked", "browse", "warning")
        ]

    @pytest.mark.parametrize("rule", ["login", "second_factor", "password_reset", "coupon", "card_lookup"])
    async def test_who_could_be_guessing_does_not(self, away, rule):
        with pytest.raises(UnavailableError):
            await RateLimiter(away).check(rule, "ann", "5/minute")

    async def test_each_rule_can_choose(self, away):
        limiter = RateLimiter(away, closed={"browse"})
        with pytest.raises(UnavailableError):
            await limiter.check("browse", "ann", "5/minute")
        await limiter.check("login", "ann", "5/minute")
        await limiter.check("browse", "ann", "5/minute", closed=False)
        with pytest.raises(UnavailableError):
            await limiter.check("login", "ann", "5/minute", closed=True)
        await limiter.reset("login", "ann", "5/minute")

    async def test_one_that_does_not_answer_is_as_good_as_away(self):
        # given something that takes connections and says nothing
        async def silence(reader, writer):
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silence, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Redis.from_url(f"redis://127.0.0.1:{port}") as silent:
            with pytest.raises(UnavailableError):
                await RateLimiter(silent).check("login", "ann", "5/minute")
            await RateLimiter(silent).check("browse", "ann", "5/minute")
