"""The kernel: a deployment's modules, wired together and running in one process."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Literal

from redis.asyncio import Redis

from kameng.audit import AuditLog
from kameng.auth import Auth
from kameng.contracts import Services
from kameng.db import ENGINE, Database
from kameng.db.migrations import app_configs
from kameng.errors import UnavailableError
from kameng.events import Outbox
from kameng.graphql import ComposedSchema, compose_schema
from kameng.graphql.admission import INTROSPECT, Admission, limits_of
from kameng.graphql.execution import Executor
from kameng.graphql.idempotent_results import IdempotentResults
from kameng.graphql.live import Live
from kameng.graphql.turns import Turns
from kameng.http.metrics import FALLBACKS
from kameng.jobs import Jobs
from kameng.loader import load_modules
from kameng.module import Module, Permission
from kameng.settings import GraphQLSettings, Settings
from kameng.settings.describing import READ_SETTINGS
from kameng.tasks import TaskQueue
from kameng.vault import Vault

KERNEL_PERMISSIONS = (
    Permission(INTROSPECT, "Ask the GraphQL schemas about themselves", "查询 GraphQL 架构"),
    Permission(READ_SETTINGS, "See the settings of all modules", "查看全部设置"),
)
"""Permissions for what the kernel itself offers."""


def _count_fallback(schema: str, reason: str) -> None:
    FALLBACKS.labels(schema, reason).inc()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Hardly anything that composing makes is garbage; to search the growing heap for it took a fifth of the start.

    What is there once a process has composed for the first time, it keeps: that is never searched again, and processes that
    are forked from this one go on sharing its pages. Later kernels of the same process, as in tests, come and go.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
        if not gc.get_freeze_count():
            gc.freeze()
    finally:
        if collecting:
            gc.enable()


class Kernel:
    """One deployment in one process.

    Composing touches no network, so a test can look at the schemas of any set of modules. Entering it (``async with``)
    opens the database and the broker and starts the modules.

    Attributes:
        settings: the deployment's settings.
        modules: in order of dependency.
        permissions: all permissions of the kernel and all modules, by name.
        services: what modules offer each other, by contract.
        schemas: the composed GraphQL schemas, ``shop`` and ``admin``.
        graphql: what executes documents against them.
        admission: what decides which documents from the network may run.
        db, valkey: the database and the Redis or Valkey client.
        auth, vault, audit, events, tasks, jobs: the kernel's parts that keep something.
        turns: how many operations this process carries out at once.
        live: tells the subscriptions of all processes that something has changed.
    """

    @_without_collecting()
    def __init__(self, settings: Settings, modules: Iterable[Module] | None = None) -> None:
        self.settings = settings
        self.modules = load_modules(settings, modules)
        for app in app_configs(self.modules):
            for table in app.table_classes:
                table._meta.db = ENGINE
        self.permissions: dict[str, Permission] = {
            permission.name: permission
            for permission in (
                *KERNEL_PERMISSIONS,
                *(permission for module in self.modules for permission in module.permissions),
            )
        }
        self.services = Services(self, self.modules)
        self.schemas: dict[Literal["shop", "admin"], ComposedSchema] = {
            "shop": compose_schema("shop", self.modules),
            "admin": compose_schema("admin", self.modules),
        }
        self.db = Database(settings.engine.database_url, pool_size=settings.engine.pool_size)
        graphql = settings.section("graphql", GraphQLSettings)
        self.graphql: dict[Literal["shop", "admin"], Executor] = {
            name: Executor(
                schema,
                on_fallback=partial(_count_fallback, name),
                hide_suggestions=settings.production,
                limits=limits_of(graphql),
                max_tokens=graphql.max_tokens,
                results=IdempotentResults(self.db, name),
            )
            for name, schema in self.schemas.items()
        }
        self.valkey: Redis = Redis.from_url(
            settings.engine.redis_url or "redis://127.0.0.1:1",
            # Whoever counts gives up before the client does, who would send again what was counted already.
            socket_timeout=max(5.0, 2 * settings.engine.valkey_seconds),
        )
        self.admission: dict[Literal["shop", "admin"], Admission] = {
            name: Admission(self, name, executor) for name, executor in self.graphql.items()
        }
        self.turns = Turns(graphql.at_once)
        self.audit = AuditLog(self)
        self.vault = Vault(self)
        self.auth = Auth(self)
        self.events = Outbox(self)
        self.live = Live(self)
        self.tasks = TaskQueue(self)
        self.jobs = Jobs(self)
        self._started: list[Module] = []

    def module(self, name: str) -> Module | None:
        """The enabled module of that name, if there is one."""
        return next((module for module in self.modules if module.name == name), None)

    async def __aenter__(self) -> Kernel:
        self.vault.load_keys()
        await self.db.open()
        try:
            await self._reach_broker()
            for module in self.modules:
                if module.on_start:
                    await module.on_start(self)
                self._started.append(module)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _reach_broker(self) -> None:
        try:
            await self.valkey.ping()
        except Exception as error:
            raise UnavailableError(
                f"Redis or Valkey does not answer: {error}.",
                cure="Check REDIS_URL and that it runs there; leave it unset for the embedded one.",
            ) from error

    async def _stop(self) -> None:
        try:
            while self._started:
                module = self._started.pop()
                if module.on_stop:
                    await module.on_stop(self)
        finally:
            await self.auth.close()
            await self.live.close()
            await self.events.close()
            await self.valkey.aclose()
            await self.db.close()
