"""A kernel without modules, and other processes of the same deployment, each with a vault of its own."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from kameng.db import Database
from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng.vault import Vault


@pytest.fixture(autouse=True)
def no_keys_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests say where their keys lie."""
    for variable in [name for name in os.environ if name.startswith("KAMENG_")]:
        monkeypatch.delenv(variable)


@pytest.fixture
async def kernel(make_kernel) -> Kernel:
    """A running kernel without modules."""
    return await make_kernel(())


@pytest.fixture
async def another_process(kernel) -> AsyncIterator[Callable[..., Awaitable[SimpleNamespace]]]:
    """Makes what another process has: its own pool and vault; by default the same key ring."""
    async with AsyncExitStack() as stack:

        async def make(data_dir: Path | None = None, **values: str) -> SimpleNamespace:
            own = {
                "database_url": kernel.settings.engine.database_url,
                "data_dir": str(data_dir or kernel.settings.data_dir),
                **values,
            }
            settings = Settings({"kameng": own}, root=Path("/"))
            database = Database(settings.engine.database_url, pool_size=3)
            await database.open()
            stack.push_async_callback(database.close)
            process = SimpleNamespace(settings=settings, db=database)
            process.vault = Vault(process)
            return process

        yield make
