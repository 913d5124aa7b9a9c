"""A one-time link opens its one thing once."""

import asyncio
from datetime import timedelta

import pytest

from kameng.auth import FIRST_ADMINISTRATOR, PASSWORD_RESET, OneTimeTokenInvalid
from kameng.auth.tokens import digest, new_one_time_token
from tests.engine.auth.eventually import eventually

HOUR = timedelta(hours=1)
WAITING = "select count(*) from pg_locks where not granted"


async def test_it_gives_its_subject_once(kernel):
    text = await kernel.auth.one_time.issue(PASSWORD_RESET, HOUR, {"member": "0189", "again": [1, None]})
    assert await kernel.auth.one_time.peek(PASSWORD_RESET, text) == {"member": "0189", "again": [1, None]}
    assert await kernel.auth.one_time.redeem(PASSWORD_RESET, text) == {"member": "0189", "again": [1, None]}
    for ask in (kernel.auth.one_time.redeem, kernel.auth.one_time.peek):
        with pytest.raises(OneTimeTokenInvalid) as refused:
            await ask(PASSWORD_RESET, text)
        assert refused.value.code == "ONE_TIME_TOKEN_INVALID"


async def test_only_its_hash_is_kept(kernel):
    text = await kernel.auth.one_time.issue(PASSWORD_RESET, HOUR, {})
    kept = await kernel.db.fetchval(
        "select count(*) from kernel_one_time_token where token_hash = $1 and subject = '{}'", digest(text)
    )
    assert kept == 1


async def test_it_opens_nothing_else(kernel):
    text = await kernel.auth.one_time.issue(PASSWORD_RESET, HOUR, {})
    with pytest.raises(OneTimeTokenInvalid):
        await kernel.auth.one_time.redeem(FIRST_ADMINISTRATOR, text)
    assert await kernel.auth.one_time.redeem(PASSWORD_RESET, text) == {}


@pytest.mark.parametrize("text", ["", "x", "ä" * 43, pytest.param(new_one_time_token(), id="fresh")])
async def test_what_was_never_issued_opens_nothing(kernel, text):
    with pytest.raises(OneTimeTokenInvalid):
        await kernel.auth.one_time.redeem(PASSWORD_RESET, text)


async def test_it_is_over_after_its_time(kernel):
    text = await kernel.auth.one_time.issue(PASSWORD_RESET, timedelta(seconds=-1), {})
    with pytest.raises(OneTimeTokenInvalid):
        await kernel.auth.one_time.redeem(PASSWORD_RESET, text)


async def test_of_two_that_redeem_it_together_one_wins(start):
    # given two processes' kernels, and both transactions open before either redeems
    one, two = await start(), await start()
    for _ in range(10):
        text = await one.auth.one_time.issue(FIRST_ADMINISTRATOR, HOUR, {"n": 1})
        both_open = asyncio.Barrier(2)

        async def redeem(kernel, text=text, both_open=both_open):
            async with kernel.db.transaction():
                await both_open.wait()
                return await kernel.auth.one_time.redeem(FIRST_ADMINISTRATOR, text)

        results = await asyncio.gather(redeem(one), redeem(two), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["OneTimeTokenInvalid", "dict"]


async def test_if_the_winner_rolls_back_the_other_gets_it(start):
    one, two = await start(), await start()
    text = await one.auth.one_time.issue(FIRST_ADMINISTRATOR, HOUR, {"n": 1})
    redeemed, waiting = asyncio.Event(), asyncio.Event()

    async def fails():
        async with one.db.transaction():
            await one.auth.one_time.redeem(FIRST_ADMINISTRATOR, text)
            redeemed.set()
            # The other one stands in line behind the row's lock before this lets go of it.
            await eventually(lambda: one.db.fetchval(WAITING), lambda count: count > 0)
            waiting.set()
            raise ZeroDivisionError

    async def comes_second():
        await redeemed.wait()
        return await two.auth.one_time.redeem(FIRST_ADMINISTRATOR, text)

    first, second = await asyncio.gather(fails(), comes_second(), return_exceptions=True)
    assert isinstance(first, ZeroDivisionError)
    assert second == {"n": 1}
    assert waiting.is_set()


async def test_a_new_link_replaces_the_old_ones_of_the_same_subject(kernel):
    old = await kernel.auth.one_time.issue(PASSWORD_RESET, HOUR, {"member": "a", "n": 1})
    others = await kernel.auth.one_time.issue(PASSWORD_RESET, HOUR, {"member": "b", "n": 1})
    new = await kernel.auth.one_time.issue(PASSWORD_RESET, HOUR, {"n": 1, "member": "a"}, replace=True)
    with pytest.raises(OneTimeTokenInvalid):
        await kernel.auth.one_time.peek(PASSWORD_RESET, old)
    assert (await kernel.auth.one_time.peek(PASSWORD_RESET, new))["member"] == "a"
    assert (await kernel.auth.one_time.peek(PASSWORD_RESET, others))["member"] == "b"
    assert await kernel.auth.one_time.withdraw(PASSWORD_RESET, {"member": "a", "n": 1}) == 1
    assert await kernel.auth.one_time.withdraw(PASSWORD_RESET, {"member": "a", "n": 1}) == 0
