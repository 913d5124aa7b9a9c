"""Transactions that survive their pitfalls.

- A block inside a block is a savepoint: its failure undoes its own work and leaves the outer block usable.
- A COMMIT that fails gives its connection back; one whose answer was lost raises `CommitUnknown`.
- Tasks started inside a block (`asyncio.gather`) share its connection: statements take turns, and a block that one of them
  opens has the connection for itself until it ends.
- A task that outlives its block gets `TransactionClosed` instead of running outside of it unnoticed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any

import asyncpg

from kameng.errors import TransactionError, UnavailableError

if TYPE_CHECKING:
    from kameng.db.database import Database


_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server is told to stop, or to end this connection
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's answer where a connection ended while it was still being read
    OSError,
)


class TransactionClosed(TransactionError):
    """A task used a transaction that had ended."""

    code = "TRANSACTION_CLOSED"

    def __init__(self) -> None:
        super().__init__(
            "This task was started inside a transaction that has ended.",
            cure="Await it inside the transaction, or start it outside and let it open one of its own.",
        )


class CommitUnknown(UnavailableError):
    """The connection was lost while committing: the work is done, or it is not; ask by its idempotency key."""

    code = "COMMIT_UNKNOWN"


class Scope:
    """One block of a transaction: the outermost, or a savepoint inside it.

    Attributes:
        connection: the asyncpg connection that all scopes of a transaction share.
    """

    __slots__ = ("_database", "_hooks", "_parent", "_shared", "_token", "_variable", "connection", "depth")

    def __init__(self, database: Database, variable: ContextVar[Scope | None]) -> None:
        self._database = database
        self._variable = variable
        self._parent: Scope | None = None
        self._shared: _Shared
        self._hooks: list[Callable[[], object]] = []
        self._token: Token[Scope | None]
        self.connection: asyncpg.Connection
        self.depth = 0

    @property
    def open(self) -> bool:
        """Whether statements can still run here."""
        return self in self._shared.stack

    def after_commit(self, hook: Callable[[], object]) -> None:
        """Call something once the outermost block has committed; never, if it has not. It must not raise or block."""
        self._hooks.append(hook)

    async def run(self, call: Callable[[asyncpg.Connection], Any]) -> Any:
        """Run one statement on the connection when it is this scope's turn."""
        shared = self._shared
        if shared.busy or shared.stack[-1:] != [self]:
            await shared.turn(self)
        shared.busy = True
        try:
            return await call(self.connection)
        finally:
            shared.busy = False
            shared.wake()

    async def __aenter__(self) -> Scope:
        parent = self._variable.get()
        if parent is None:
            await self._begin()
        else:
            await self._save(parent)
        self._token = self._variable.set(self)
        return self

    async def _begin(self) -> None:
        self.connection = await self._database.acquire()
        self._shared = _Shared()
        try:
            await self.connection.execute("begin")
        except BaseException:
            await asyncio.shield(self._database.release(self.connection))
            raise
        self._shared.stack.append(self)

    async def _save(self, parent: Scope) -> None:
        if not parent.open:
            raise TransactionClosed
        self._parent, self._shared, self.connection = parent, parent._shared, parent.connection
        self.depth = parent.depth + 1
        await parent.run(lambda connection: connection.execute(f"savepoint s{self.depth}"))
        self._shared.stack.append(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._variable.reset(self._token)
        ending = self._end(commit=kind is None) if self._parent is None else self._leave(keep=kind is None)
        # A cancelled request still ends its transaction in order; asyncpg would otherwise abandon the connection mid-way.
        task = asyncio.ensure_future(ending)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                with suppress(Exception):
                    await task
            raise

    async def _leave(self, *, keep: bool) -> None:
        shared, parent = self._shared, self._parent
        assert parent is not None  # noqa: S101 - only savepoints come here
        if shared.busy or shared.stack[-1:] != [self]:
            await shared.turn(self)
        name = f"s{self.depth}"
        try:
            await self.connection.execute(
                f"release savepoint {name}"
                if keep
                else f"rollback to savepoint {name}; release savepoint {name}"
            )
        finally:
            shared.stack.remove(self)
            shared.wake()
        if keep:
            parent._hooks += self._hooks

    async def _end(self, *, commit: bool) -> None:
        shared = self._shared
        try:
            if shared.busy or shared.stack != [self]:
                await shared.turn(self)
            shared.stack.clear()
            shared.wake()
            await (self._commit() if commit else self._roll_back())
        finally:
            shared.stack.clear()
            shared.wake()
            await self._database.release(self.connection)
        if commit:
            for hook in self._hooks:
                hook()

    async def _commit(self) -> None:
        try:
            answer = await self.connection.execute("commit")
        except _LOST as error:
            raise CommitUnknown(
                "The connection to the database was lost while committing.",
                cure="Ask again with the same idempotency key: the answer tells whether it was done.",
            ) from error
        if answer == "ROLLBACK":
            raise TransactionError(
                "A statement in this transaction failed and its error was swallowed, so nothing was committed.",
                cure="Let errors leave the block, or put the statement that may fail into a block of its own.",
            )

    async def _roll_back(self) -> None:
        # A lost connection has rolled back already; the error that ended the block is the one worth telling.
        with suppress(asyncpg.PostgresError, *_LOST):
            await self.connection.execute("rollback")


class _Shared:
    """Who may use the connection: one statement at a time, of the innermost open scope."""

    __slots__ = ("busy", "stack", "waiting")

    def __init__(self) -> None:
        self.stack: list[Scope] = []
        self.busy = False
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self, scope: Scope) -> None:
        while True:
            if scope not in self.stack:
                raise TransactionClosed
            if not self.busy and self.stack[-1] is scope:
                return
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(future)
            await future

    def wake(self) -> None:
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                future.set_result(None)
