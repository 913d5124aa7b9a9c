"""Running kernels for tests, each with a database and a key space of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from kameng.db import Database
from kameng.db.migrations import Migrator, app_paths
from kameng.kernel import Kernel
from kameng.loader import load_modules
from kameng.module import Module
from kameng.settings import Settings
from kameng.testing.databases import Databases, TestServices

_numbers = count()
_migrating = asyncio.Lock()


class Kernels:
    """Makes running kernels.

    Args:
        services: where they run.
        databases: makes their databases.
        folder: makes folders for their keys and files.
        stack: stops them.
    """

    def __init__(
        self, services: TestServices, databases: Databases, folder: Callable[[], Path], stack: AsyncExitStack
    ) -> None:
        self._services = services
        self._databases = databases
        self._folder = folder
        self._stack = stack

    async def __call__(
        self, modules: Sequence[Module] | None = None, *, migrated: bool = True, **sections: dict[str, Any]
    ) -> Kernel:
        """A running kernel on a database of its own.

        Args:
            modules: of which modules; None takes all that are installed.
            migrated: whether its database has all tables.
            sections: settings by section, such as ``catalog={"low_stock": 3}``.
        """
        settings = self.settings(
            await self._database(modules) if migrated else await self._databases(), **sections
        )
        kernel = Kernel(settings, modules)
        await self._stack.enter_async_context(kernel)
        kernel.db.use()
        return kernel

    def settings(self, database_url: str, **sections: dict[str, Any]) -> Settings:
        """The settings of a kernel on a database."""
        folder = self._folder()
        # What one test counted, such as the tries of an e-mail address, must not be counted in another.
        number = next(_numbers) % self._services.valkey_databases
        redis_url = f"{self._services.redis_url.rstrip('/').removesuffix('/0')}/{number}"
        own = {
            "database_url": database_url,
            "redis_url": redis_url,
            "data_dir": str(folder),
            "log_level": "warning",
            # On a busy machine everything may stand still for seconds.
            "valkey_seconds": 120.0,
        }
        tree = {"kameng": {**own, **sections.pop("kameng", {})}, **sections}
        return Settings(tree, root=folder)

    async def _database(self, modules: Sequence[Module] | None) -> str:
        if modules is None:
            self._services.installed = self._services.installed or load_modules(self.settings(""))
            modules = self._services.installed
        key = " ".join(sorted(app_paths(modules)))
        async with _migrating:
            if key not in self._services.templates:
                ordered = load_modules(self.settings(""), modules)
                self._services.templates[key] = await self._migrate(ordered)
        return await self._databases(self._services.templates[key])

    async def _migrate(self, modules: tuple[Module, ...]) -> str:
        templates = Databases(self._services)  # these stay until the services stop
        url = await templates()
        database = Database(url, pool_size=2)
        await database.open()
        try:
            await Migrator(database, modules).forwards()
        finally:
            await database.close()
        return urlsplit(url).path.lstrip("/")


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid4().hex[:12]}"
