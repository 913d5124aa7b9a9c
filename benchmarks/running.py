"""The shop under test: real services, a seeded database, web processes as production runs them."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from kameng.db.migrations import Migrator
from kameng.embedded import Running, temporary_services
from kameng.embedded.ports import free_port
from kameng.kernel import Kernel
from kameng.settings import Settings


@asynccontextmanager
async def services() -> AsyncIterator[tuple[Running, Settings]]:
    """PostgreSQL with durable commits and Valkey, and the settings of a shop on them, migrated."""
    with (
        tempfile.TemporaryDirectory(prefix="kameng-bench-") as folder,
        temporary_services(durable=True) as running,
    ):
        own = {
            "database_url": running.database_url,
            "redis_url": running.redis_url,
            "data_dir": folder,
            "log_level": "warning",
        }
        settings = Settings({"kameng": own}, root=Path(folder))
        async with Kernel(settings) as kernel:
            await Migrator(kernel.db, kernel.modules).forwards()
        yield running, settings


@asynccontextmanager
async def process(
    command: list[str], ready: str, settings: Settings, **environment: str
) -> AsyncIterator[None]:
    """Run a server until the block ends."""
    values = {
        **os.environ,
        "DATABASE_URL": settings.engine.database_url,
        "REDIS_URL": settings.engine.redis_url,
        "KAMENG_KAMENG__DATA_DIR": str(settings.data_dir),
        "KAMENG_KAMENG__LOG_LEVEL": "warning",
        **environment,
    }
    server = await asyncio.create_subprocess_exec(*command, env=values, start_new_session=True)
    try:
        async with httpx.AsyncClient() as client:
            while True:
                if server.returncode is not None:
                    raise RuntimeError(f"{command} ended with {server.returncode}")
                try:
                    if (await client.get(ready)).status_code < 500:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
        yield
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(server.wait(), 20)
            except TimeoutError:
                os.killpg(server.pid, signal.SIGKILL)


@asynccontextmanager
async def web(settings: Settings, processes: int = 1) -> AsyncIterator[str]:
    """Our web processes; yields their address."""
    port = free_port()
    command = [sys.executable, "-m", "kameng", "serve", "--port", str(port), "--processes", str(processes)]
    url = f"http://127.0.0.1:{port}"
    # No pages: what is measured is the API.
    bare = {"KAMENG_THEMES__STOREFRONT": "", "KAMENG_THEMES__ADMIN": ""}
    async with process(command, f"{url}/readyz", settings, **bare):
        yield url
