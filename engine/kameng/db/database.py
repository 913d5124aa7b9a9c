"""The database of one kernel: a pool, and statements that join the transaction around them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson

from kameng.db.statement import Statement
from kameng.db.transaction import Scope, TransactionClosed
from kameng.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_current: ContextVar[Database | None] = ContextVar("kameng_database", default=None)
_opened: list[Database] = []
_counted: ContextVar[list[str] | None] = ContextVar("kameng_statements", default=None)


_PATIENCE = 10.0
"""Seconds that closing waits for statements under way."""


def current_database() -> Database:
    """The database that Piccolo's queries go to here: the one in use by this task, or the only one that is open.

    Raises:
        UnavailableError: none is open, or several are and the task has not said which.
    """
    database = _current.get()
    if database is not None:
        return database
    if len(_opened) == 1:
        return _opened[0]
    raise UnavailableError(
        "No database is open."
        if not _opened
        else "Several databases are open, and this task has not chosen one.",
        cure="Run it within `async with kernel:` or `with kernel.db.in_use():`.",
    )


async def _keep(_connection: asyncpg.Connection) -> None:
    """Nothing to undo: statements and transactions leave no state, and `Database.connection` undoes what it left.

    asyncpg's own reset would cost every statement a second round trip.
    """


class Database:
    """One PostgreSQL database.

    Args:
        dsn: a ``postgresql://`` address.
        pool_size: the most connections that this process opens.
    """

    def __init__(self, dsn: str, *, pool_size: int = 10) -> None:
        self.dsn = dsn
        self.pool_size = pool_size
        self._pool: asyncpg.Pool | None = None
        self._scope: ContextVar[Scope | None] = ContextVar("kameng_scope", default=None)

    async def open(self) -> None:
        """Open the pool.

        Raises:
            UnavailableError: nobody answers there, or the address or its credentials are wrong.
        """
        try:
            self._pool = await asyncpg.create_pool(
                self.dsn,
                min_size=1,
                max_size=self.pool_size,
                reset=_keep,
                server_settings={"timezone": "UTC", "application_name": "kameng"},
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise UnavailableError(
                f"The database at {self.address} cannot be used: {error or type(error).__name__}.",
                cure="Check DATABASE_URL and that PostgreSQL runs there; leave it unset for the embedded one.",
            ) from error
        _opened.append(self)

    async def close(self) -> None:
        """Close the pool, after the statements that still run; cut off what has not ended after `_PATIENCE`."""
        pool, self._pool = self._pool, None
        if pool is not None:
            _opened.remove(self)
            try:
                await asyncio.wait_for(pool.close(), _PATIENCE)
            except TimeoutError:
                pool.terminate()

    @property
    def address(self) -> str:
        """The address without its password."""
        head, at, tail = self.dsn.rpartition("@")
        scheme, _, user = head.partition("://")
        return f"{scheme}://{user.split(':')[0]}@{tail}" if at else self.dsn

    @contextmanager
    def in_use(self) -> Iterator[Database]:
        """Make this the database of Piccolo's queries in this task and those it starts."""
        token: Token[Database | None] = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)

    def use(self) -> None:
        """Like `in_use`, for the rest of the task."""
        _current.set(self)

    # -- transactions ---------------------------------------------------------------------------------------------

    def transaction(self) -> Scope:
        """A block that commits as a whole or not at all; inside another one, a savepoint."""
        return Scope(self, self._scope)

    @property
    def scope(self) -> Scope | None:
        """The block that the task is in, if any."""
        return self._scope.get()

    async def acquire(self) -> asyncpg.Connection:
        """A connection of the pool; give it back by `release`. Prefer `transaction` and the statements below.

        Raises:
            UnavailableError: the pool is not open, or the server does not answer.
        """
        if self._pool is None:
            raise UnavailableError("The database is not open.", cure="Use it within `async with kernel:`.")
        try:
            return await self._pool.acquire()
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
            raise UnavailableError(
                f"The database at {self.address} does not answer: {error}.", cure="Try again."
            ) from error

    async def release(self, connection: asyncpg.Connection) -> None:
        """Give a connection back to the pool."""
        if self._pool is not None:
            await self._pool.release(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of its own, outside any transaction of the task: for LISTEN, advisory locks and cursors."""
        connection = await self.acquire()
        try:
            yield connection
        finally:
            try:
                if not connection.is_closed():
                    await connection.reset()
            finally:
                await self.release(connection)

    # -- statements -----------------------------------------------------------------------------------------------

    async def _run(self, method: str, sql: str | Statement, arguments: Sequence[Any]) -> Any:
        text = sql.sql if type(sql) is Statement else str(sql)
        counted = _counted.get()
        if counted is not None:
            counted.append(text)
        scope = self._scope.get()
        if scope is not None:
            if not scope.open:
                raise TransactionClosed
            return await scope.run(lambda connection: getattr(connection, method)(text, *arguments))
        connection = await self.acquire()
        try:
            return await getattr(connection, method)(text, *arguments)
        finally:
            await self.release(connection)

    async def fetch(self, sql: str | Statement, *arguments: Any) -> list[asyncpg.Record]:
        """All rows."""
        return await self._run("fetch", sql, arguments)  # type: ignore[no-any-return]  # asyncpg is untyped

    async def fetchrow(self, sql: str | Statement, *arguments: Any) -> asyncpg.Record | None:
        """The first row, or None."""
        return await self._run("fetchrow", sql, arguments)

    async def fetchval(self, sql: str | Statement, *arguments: Any) -> Any:
        """The first column of the first row, or None."""
        return await self._run("fetchval", sql, arguments)

    async def execute(self, sql: str | Statement, *arguments: Any) -> str:
        """Run a statement; the command tag, such as ``UPDATE 3``."""
        return await self._run("execute", sql, arguments)  # type: ignore[no-any-return]  # asyncpg is untyped

    async def executemany(self, sql: str | Statement, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row, in one round trip."""
        await self._run("executemany", sql, (list(rows),))

    async def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Load rows by COPY, the fastest way in; returns how many. Needs a transaction around it.

        Raises:
            TransactionClosed: there is no open transaction.
        """
        scope = self._scope.get()
        if scope is None or not scope.open:
            raise TransactionClosed
        answer = await scope.run(
            lambda connection: connection.copy_records_to_table(table, columns=list(columns), records=rows)
        )
        return int(answer.split()[-1])


def as_json(value: Any) -> str:
    """A value as PostgreSQL's json and jsonb parameters want it."""
    return orjson.dumps(value).decode()


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Collect the statements that run inside, by this task and those it starts: for query-count tests."""
    collected: list[str] = []
    token = _counted.set(collected)
    try:
        yield collected
    finally:
        _counted.reset(token)
