"""Kernels with a directory of people, on one database for all tests here: each test makes principals of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from kameng.settings import Settings
from tests.engine.auth.people import Directory, people_module
from tests.engine.auth.small_kernel import SmallKernel, migrate


@pytest.fixture(scope="session")
async def database_url(services: Any) -> str:
    from kameng.testing.databases import Databases

    url = await Databases(services)()
    await migrate(url)
    return url


@pytest.fixture
def directory() -> Directory:
    return Directory()


StartKernel = Callable[..., Awaitable[SmallKernel]]


@pytest.fixture
async def start(services: Any, database_url: str, directory: Directory) -> AsyncIterator[StartKernel]:
    """Starts kernels on the same services, stopped when the test ends: ``await start(session_cache_seconds=0)``."""
    async with AsyncExitStack() as stack:

        async def start(*, people: bool = True, redis_url: str = "", **auth: Any) -> SmallKernel:
            engine = {"database_url": database_url, "redis_url": redis_url or services.redis_url}
            settings = Settings({"kameng": engine, "auth": auth}, root=Path("/nonexistent"))
            kernel = SmallKernel(settings, [people_module(directory)] if people else [])
            return await stack.enter_async_context(kernel)

        yield start


@pytest.fixture
async def kernel(start: StartKernel) -> SmallKernel:
    """A kernel that remembers nothing, so that each answer is the database's."""
    return await start(session_cache_seconds=0)
