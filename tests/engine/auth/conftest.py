"""Kernels with a directory of people, on one database for all tests here: each test makes principals of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from kameng.db import Database
from kameng.db.migrations import Migrator
from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng.testing.databases import Databases, TestServices
from tests.engine.auth.people import Directory, people_module

StartKernel = Callable[..., Awaitable[Kernel]]


@pytest.fixture(scope="session")
async def database_url(services: TestServices) -> AsyncIterator[str]:
    databases = Databases(services)
    database = Database(await databases(), pool_size=2)
    await database.open()
    await Migrator(database, []).forwards()
    await database.close()
    yield database.dsn
    await databases.drop_all()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kameng")


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
async def start(
    services: TestServices, database_url: str, data_dir: Path, directory: Directory
) -> AsyncIterator[StartKernel]:
    """Starts kernels on the same services, stopped when the test ends: ``await start(session_cache_seconds=0)``."""
    async with AsyncExitStack() as stack:

        async def start(*, people: bool = True, redis_url: str = "", **auth: Any) -> Kernel:
            engine = {
                "database_url": database_url,
                "redis_url": redis_url or services.redis_url,
                "data_dir": str(data_dir),
                "pool_size": 5,
            }
            settings = Settings({"kameng": engine, "auth": auth}, root=data_dir)
            return await stack.enter_async_context(
                Kernel(settings, [people_module(directory)] if people else [])
            )

        yield start


@pytest.fixture
async def kernel(start: StartKernel) -> Kernel:
    """A kernel that remembers nothing, so that each answer is the database's."""
    return await start(session_cache_seconds=0)
