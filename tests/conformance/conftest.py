"""One shop in two web processes for all conformance tests, and the tools that grade it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from kameng.testing.databases import Databases, TestServices
from kameng.testing.kernels import Kernels

from .administrator import Administrator
from .node import require_node
from .python_tools import python_tools
from .server import Server


@pytest.fixture(scope="session")
def node() -> None:
    """Node with the tools of ``package.json``."""
    require_node()


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the commands of ``requirements.lock``."""
    return python_tools()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def administrator(server: Server) -> Administrator:
    """Who may do everything in the shop."""
    return await Administrator.first(server)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(services: TestServices, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A shop of all modules, empty at first, in two web processes."""
    databases = Databases(services)
    try:
        async with AsyncExitStack() as stack:
            kernels = Kernels(services, databases, lambda: tmp_path_factory.mktemp("kameng"), stack)
            kernel = await kernels()
            folder = tmp_path_factory.mktemp("serve")
            yield stack.enter_context(Server.started(kernel, folder, processes=2))
    finally:
        await databases.drop_all()
