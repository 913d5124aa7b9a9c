"""Failures of handlers and tasks: what may be written down about them, and when to try again."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import PurePath
from traceback import extract_tb, format_list

import asyncpg
import structlog
from redis.exceptions import RedisError

from kameng.errors import KamengError, UnavailableError

LONGEST_PAUSE = 3600.0
"""Seconds; the pauses between attempts stop growing here."""

ERROR_LENGTH = 500
"""Characters that are kept of an error."""

DATABASE_OUTAGES = (
    UnavailableError,
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    # Between a server's last words and the end of its connection, asyncpg trips over its own state.
    asyncpg.InternalClientError,
)
"""What it looks like when the database is away; a handler may raise some of them for reasons of its own."""

OUTAGES = (*DATABASE_OUTAGES, RedisError, OSError)
"""What it looks like when the database or the broker is away."""

CONTENTION = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Two transactions got in each other's way: nobody's fault, and gone the next time."""

log = structlog.get_logger("kameng.events")

_QUOTED = re.compile(r"""(["'`])(?:\\.|(?!\1).)+\1|=\s?\([^)]*\)""", re.DOTALL)
_LONG_WORD = re.compile(r"\S{6,}")


def describe(error: BaseException) -> str:
    """An error as it may be kept and shown to an operator: what, where, and no values.

    Messages of libraries quote what they stumbled over, which may be a card's secret. So of foreign errors
    all that is quoted, long numbers and words that no language knows are left out; our own errors hold no
    secret by rule.
    """
    if isinstance(error, KamengError):
        text = f"{error.code}: {error.message}"
    elif isinstance(error, asyncpg.PostgresError):
        # Its DETAIL quotes rows, its message quotes input.
        names = [error.sqlstate, error.table_name, error.column_name, error.constraint_name]
        text = f"{type(error).__name__} ({', '.join(str(name) for name in names if name)})"
    else:
        message = str(error).partition("\n")[0][:ERROR_LENGTH]
        message = _LONG_WORD.sub(_unless_plain, _QUOTED.sub("…", message))
        text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"{text[: ERROR_LENGTH - 100]}{_place(error)}"[:ERROR_LENGTH]


def _unless_plain(word: re.Match[str]) -> str:
    """A word of some language passes; what holds a digit or is very long may be a number, a key or a code."""
    text = word.group()
    return "…" if len(text) > 24 or any(character.isdigit() for character in text) else text


def _place(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f" [{PurePath(last.filename).name}:{last.lineno} {last.name}]"


def trace(error: BaseException, depth: int = 8) -> str:
    """The last frames of an error's traceback, for the log, without its message."""
    return "".join(format_list(extract_tb(error.__traceback__)[-depth:])).rstrip()


def pause(attempts: int, first: float) -> timedelta:
    """How long to wait before the next attempt: twice as long each time, with jitter, up to an hour.

    Args:
        attempts: how many have failed, this one included.
        first: seconds to wait after the first.
    """
    seconds = min(first * 2.0 ** min(attempts - 1, 30), LONGEST_PAUSE)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load, hides nothing


class Patience:
    """Growing pauses while something is away; the first is short.

    Args:
        first, longest: seconds.
    """

    def __init__(self, first: float = 0.1, longest: float = 5.0) -> None:
        self._first = first
        self._longest = longest
        self._times = 0

    @property
    def fresh(self) -> bool:
        """Whether nothing has failed since the last `reset`: the moment to say it in the log."""
        return self._times == 0

    def next(self) -> float:
        """Seconds to wait now."""
        seconds = min(self._first * 2.0**self._times, self._longest)
        self._times = min(self._times + 1, 16)
        return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, hides nothing

    def reset(self) -> None:
        """It answers again."""
        self._times = 0


async def through_outages(call: Callable[[], Awaitable[None]], given_up: asyncio.Event) -> None:
    """Call until the database lets it pass.

    Args:
        call: made anew after each outage.
        given_up: set by whoever stops the worker: then an outage is the end of it, and the lease does the
            rest.
    """
    patience = Patience()
    while True:
        try:
            return await call()
        except DATABASE_OUTAGES as error:
            if given_up.is_set():
                return None
            if patience.fresh:
                log.warning("a worker waits for the database", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(given_up.wait(), patience.next())
