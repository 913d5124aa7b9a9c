"""Waiting for what another task or process is about to do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kameng.db import counted_statements

T = TypeVar("T")


async def eventually(ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """Ask until the answer is as wanted; after 3,000 times it is not going to be."""
    for _ in range(3000):
        answer = await ask()
        if wanted(answer):
            return answer
        await asyncio.sleep(0.01)
    raise AssertionError(f"It is still {answer!r}.")


async def remember(find, token):
    """Look a token up until that takes no statement; returns its principal."""

    async def ask():
        with counted_statements() as statements:
            principal = await find(token)
        assert principal is not None
        return principal, len(statements)

    principal, _ = await eventually(ask, lambda answer: answer[1] == 0)
    return principal
