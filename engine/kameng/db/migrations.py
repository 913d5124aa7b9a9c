"""Migrations over the kernel and all modules, forwards and back.

The migrations themselves are Piccolo's, made by ``piccolo migrations new``. The runner is ours, since it must do what
Piccolo's does not: run the apps in the order of the modules, record each migration in the same transaction that carries it
out, and let only one process migrate at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import AppConfig

from kameng.db.database import Database
from kameng.errors import BootError

if TYPE_CHECKING:
    from kameng.module import Module

KERNEL_APPS = (
    "kameng.events.piccolo_app",
    "kameng.tasks.piccolo_app",
    "kameng.jobs.piccolo_app",
    "kameng.auth.piccolo_app",
    "kameng.vault.piccolo_app",
    "kameng.audit.piccolo_app",
    "kameng.graphql.piccolo_app",
)
"""The kernel's own tables, a Piccolo app for each part that keeps something."""

_LOCK = 0x6B616D656E67  # "kameng": the advisory lock that a migrating process holds


@dataclass(frozen=True, slots=True)
class Step:
    """One migration of one app.

    Attributes:
        app: the Piccolo app's name, which is the module's.
        id: the migration's ID.
        description: what it does, in its author's words.
    """

    app: str
    id: str
    description: str


def app_paths(modules: Iterable[Module]) -> list[str]:
    """Import paths of the Piccolo apps, the kernel's first, then in the order of the modules."""
    return [*KERNEL_APPS, *(module.piccolo_app for module in modules if module.piccolo_app)]


def app_configs(modules: Iterable[Module]) -> list[AppConfig]:
    """The Piccolo apps, in the order in which they migrate."""
    return [import_module(path).APP_CONFIG for path in app_paths(modules)]


def _migrations(path: str, app: AppConfig) -> dict[str, ModuleType]:
    package = import_module(path.rpartition(".")[0] + ".migrations")
    found = [import_module(f"{package.__name__}.{item.name}") for item in iter_modules(package.__path__)]
    return {module.ID: module for module in sorted(found, key=lambda module: str(module.ID))}


class Migrator:
    """Brings a database to where the code is, or back.

    Args:
        database: an open database.
        modules: the deployment's modules, in order.
    """

    def __init__(self, database: Database, modules: Iterable[Module]) -> None:
        self._database = database
        paths = app_paths(modules)
        self._apps = [(import_module(path).APP_CONFIG, path) for path in paths]

    async def pending(self) -> list[Step]:
        """Migrations that have not run, in the order in which they would."""
        with self._database.in_use():
            done = await self._done()
            return [
                Step(app.app_name, key, module.DESCRIPTION)
                for app, path in self._apps
                for key, module in _migrations(path, app).items()
                if (app.app_name, key) not in done
            ]

    async def forwards(self, progress: Callable[[Step], None] = lambda _step: None) -> list[Step]:
        """Run what has not run; each migration commits with its record, so an interrupted run goes on where it stopped."""
        async with self._alone():
            steps = await self.pending()
            for step in steps:
                progress(step)
                async with self._database.transaction():
                    await self._run(step, backwards=False)
                    await Migration.insert(Migration(name=step.id, app_name=step.app))
        return steps

    async def backwards(
        self, app_name: str, to: str | None = None, progress: Callable[[Step], None] = lambda _step: None
    ) -> list[Step]:
        """Undo an app's migrations, the newest first.

        Args:
            app_name: the module's name; ``all`` undoes every app, the last module first.
            to: undo down to this migration, which stays; None undoes all of them.
            progress: called before each step.

        Raises:
            BootError: there is no such app or migration, or one of them is not here to be undone.
        """
        if app_name != "all" and app_name not in {app.app_name for app, _ in self._apps}:
            names = ", ".join(app.app_name for app, _ in self._apps)
            raise BootError(
                f"No enabled module has migrations named {app_name!r}.", cure=f"Take one of: {names}, all."
            )
        steps: list[Step] = []
        async with self._alone():
            done = await self._done()
            for app, path in reversed(self._apps):
                if app_name in ("all", app.app_name):
                    known = _migrations(path, app)
                    ran = sorted((key for name, key in done if name == app.app_name), reverse=True)
                    if missing := set(ran) - set(known):
                        raise BootError(
                            f"{app.app_name} ran {', '.join(sorted(missing))}, which the installed version does not have.",
                            cure="Install the version that has it, go back there, then change the version.",
                        )
                    if to is not None and to not in ran:
                        raise BootError(
                            f"{app.app_name} has not run a migration {to!r}.",
                            cure=f"It ran: {', '.join(ran)}.",
                        )
                    steps += [
                        Step(app.app_name, key, known[key].DESCRIPTION)
                        for key in ran
                        if to is None or key > to
                    ]
            for step in steps:
                progress(step)
                async with self._database.transaction():
                    await self._run(step, backwards=True)
                    await Migration.delete().where(
                        (Migration.name == step.id) & (Migration.app_name == step.app)
                    )
        return steps

    async def _run(self, step: Step, *, backwards: bool) -> None:
        app, path = next(item for item in self._apps if item[0].app_name == step.app)
        manager = await _migrations(path, app)[step.id].forwards()
        if isinstance(manager, MigrationManager):
            with redirect_stdout(StringIO()):  # it prints; what is said of a migration, the caller says
                await manager.run(backwards=backwards)

    async def _done(self) -> set[tuple[str, str]]:
        if await self._database.fetchval("select to_regclass('migration') is null"):
            return set()
        rows = await self._database.fetch("select app_name, name from migration")
        return {(row["app_name"], row["name"]) for row in rows}

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        with self._database.in_use():
            async with self._database.connection() as connection:
                await connection.execute("select pg_advisory_lock($1)", _LOCK)
                try:
                    if await self._database.fetchval("select to_regclass('migration') is null"):
                        await Migration.create_table()
                    yield
                finally:
                    await connection.execute("select pg_advisory_unlock($1)", _LOCK)
