"""Running something against the deployment: its services found or started, a kernel opened.

A command works beside a running `kameng dev` as well as alone: the embedded services of a folder belong to whoever started
them, and their addresses stand in ``running.json`` of the data folder while they run.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from kameng.errors import BootError
from kameng.logs import configure_logs
from kameng.settings import Settings

T = TypeVar("T")

RUNNING = "running.json"


def settings_of(context: click.Context) -> Settings:
    """The settings of this command.

    Raises:
        SettingsError: they are unusable.
    """
    root = context.find_root().obj
    return cast("Settings", root.read())


def note_running(settings: Settings, database_url: str, redis_url: str) -> Path:
    """Write down where the services of this folder are, for commands that come while they run."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.data_dir / RUNNING
    path.touch(mode=0o600)
    path.write_text(json.dumps({"pid": os.getpid(), "database_url": database_url, "redis_url": redis_url}))
    return path


def _noted(settings: Settings) -> dict[str, Any] | None:
    try:
        noted: dict[str, Any] = json.loads((settings.data_dir / RUNNING).read_text())
        os.kill(noted["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return noted


@contextmanager
def with_services(settings: Settings, *, note: bool = False) -> Iterator[Settings]:
    """Settings whose database and broker are there.

    Args:
        settings: as read.
        note: whether others may use the embedded services while they run.

    Raises:
        EmbeddedError: an embedded service cannot start.
        BootError: production without addresses.
    """
    engine = settings.engine
    if engine.database_url and engine.redis_url:
        yield settings
        return
    if settings.production:
        lacking = " and ".join(
            name
            for name, url in (("DATABASE_URL", engine.database_url), ("REDIS_URL", engine.redis_url))
            if not url
        )
        raise BootError(
            f"Production needs {lacking}.", cure="Set it; the embedded services are for development."
        )
    noted = None if note else _noted(settings)
    if noted:
        yield _with_urls(settings, noted["database_url"], noted["redis_url"])
        return
    from kameng.embedded import Services

    with Services.start(settings.data_dir, engine.database_url or None, engine.redis_url or None) as services:
        path = note_running(settings, services.database_url, services.redis_url) if note else None
        try:
            yield _with_urls(settings, services.database_url, services.redis_url)
        finally:
            if path:
                path.unlink(missing_ok=True)


def _with_urls(settings: Settings, database_url: str, redis_url: str) -> Settings:
    return settings.with_values("kameng", database_url=database_url, redis_url=redis_url)


def run(context: click.Context, work: Callable[[Any], Awaitable[T]]) -> T:
    """Open a kernel on the deployment's database and run something with it.

    Args:
        context: click's.
        work: ``async (kernel)``.

    Returns:
        what the work returns.
    """
    settings = settings_of(context)
    configure_logs(settings.engine, "cli")
    # Imported here: a wrong command line must not wait for the whole engine.
    from kameng.db.migrations import Migrator
    from kameng.kernel import Kernel

    async def opened(ready: Settings) -> T:
        async with Kernel(ready) as kernel:
            kernel.db.use()
            if pending := await Migrator(kernel.db, kernel.modules).pending():
                raise BootError(
                    f"{len(pending)} migrations have not run.", cure="Run `kameng migrate` first."
                )
            return await work(kernel)

    with with_services(settings) as ready:
        return asyncio.run(opened(ready))
