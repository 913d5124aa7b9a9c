"""One shop and one browser for all tests of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from kameng.testing.databases import TestServices

from .chromium import chromium
from .shop import Shop, running_shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    """A running Chromium."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(
    browser: Any, services: TestServices, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    """The demo shop with everything in it. Asked for after the browser, without which there is no need of it."""
    async with running_shop(services, lambda: tmp_path_factory.mktemp("shop")) as shop:
        yield shop
