"""The pytest plugin for module authors: real services, an empty database for each test that wants one, a running kernel.

It is active wherever ``kameng[testing]`` is installed. Fixtures:

- ``services``: PostgreSQL and Valkey for the whole run, started when the first test asks; ``DATABASE_URL`` and ``REDIS_URL``
  replace them.
- ``make_database``: makes databases, empty or copies of another, and drops them at the end of the test.
- ``make_kernel``: makes running kernels of any modules, each on a migrated database of its own.
- ``kernel``: one with all installed modules.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from kameng.testing.databases import Databases, TestServices

if TYPE_CHECKING:
    from kameng.testing.kernels import Kernels


@pytest.fixture(scope="session")
def services() -> Iterator[TestServices]:
    """PostgreSQL and Valkey for the run."""
    with TestServices.started() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def make_database(services: TestServices) -> AsyncIterator[Databases]:
    """Makes databases that are dropped when the test ends."""
    databases = Databases(services)
    try:
        yield databases
    finally:
        await databases.drop_all()


@pytest_asyncio.fixture(loop_scope="session")
async def make_kernel(
    services: TestServices, make_database: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kernels]:
    """Makes running kernels that are stopped when the test ends."""
    # Imported late: a test run of something else must not load the whole engine.
    from kameng.testing.kernels import Kernels

    async with AsyncExitStack() as stack:
        yield Kernels(services, make_database, _folder(tmp_path_factory), stack)


@pytest_asyncio.fixture(loop_scope="session")
async def kernel(make_kernel: Kernels) -> object:
    """A running kernel of all installed modules, on a migrated, otherwise empty database."""
    return await make_kernel()


def _folder(factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: factory.mktemp("kameng")
