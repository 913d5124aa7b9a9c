"""Databases for tests: made in milliseconds as copies of a template, dropped when the test ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

if TYPE_CHECKING:
    from kameng.module import Module


@dataclass
class TestServices:
    """The services of a test run.

    Attributes:
        database_url: a database whose role may create others.
        redis_url: a Valkey whose databases belong to the run.
        valkey_databases: how many it has.
        templates: migrated databases to copy, by what they hold.
        installed: all installed modules, once they were looked for.
    """

    __test__ = False

    database_url: str
    redis_url: str
    valkey_databases: int = 16
    templates: dict[str, str] = field(default_factory=dict)
    installed: tuple[Module, ...] = ()

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[TestServices]:
        """Take those that ``DATABASE_URL`` and ``REDIS_URL`` name, or start embedded ones."""
        given = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
        if given[0] and given[1]:
            yield cls(given[0], given[1])
            return
        from kameng.embedded import temporary_services
        from kameng.embedded.valkey import THROWAWAY_DATABASES

        # Nothing of a test outlives the run, so nothing needs to survive a power cut.
        with temporary_services(durable=False) as running:
            services = cls(given[0] or running.database_url, given[1] or running.redis_url)
            if not given[1]:
                services.valkey_databases = THROWAWAY_DATABASES
            yield services

    def url_of(self, name: str) -> str:
        """The address of another database on the same server."""
        return urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}"))


class Databases:
    """Makes databases and drops them.

    Args:
        services: where to make them.
    """

    def __init__(self, services: TestServices) -> None:
        self._services = services
        self._made: list[str] = []

    async def __call__(self, template: str | None = None) -> str:
        """A new database; returns its address.

        Args:
            template: the name of a database to copy; None makes an empty one.
        """
        name = f"test_{uuid4().hex}"
        copied = f' template "{template}"' if template else ""
        await self._run(f'create database "{name}"{copied}')
        self._made.append(name)
        return self._services.url_of(name)

    async def drop_all(self) -> None:
        """Drop what was made, whoever is still connected."""
        while self._made:
            name = self._made.pop()
            try:
                await self._run(f'drop database if exists "{name}" with (force)')
            except asyncpg.InsufficientPrivilegeError:
                # An autovacuum worker is in it, whom only a plain drop may send away.
                await self._run(f'drop database if exists "{name}"')

    async def _run(self, sql: str) -> None:
        connection = await asyncpg.connect(self._services.database_url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()
