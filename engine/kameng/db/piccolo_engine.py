"""Piccolo's engine as a doorway to the current `Database`.

Piccolo's tables find one engine for the whole process. Ours holds no connection of its own: each query goes to the database
that the task uses, inside the transaction it is in. So two kernels in one process keep apart, and Piccolo's queries join our
transactions with all their guarantees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from piccolo.engine.postgres import AsyncBatch, PostgresEngine, PostgresTransaction
from piccolo.query.base import Query
from piccolo.querystring import QueryString

from kameng.db.database import current_database
from kameng.errors import TransactionError


class KamengEngine(PostgresEngine):
    """The engine that ``piccolo_conf`` exports as ``DB``."""

    def __init__(self) -> None:
        super().__init__(config={}, extensions=())

    async def check_version(self) -> None:
        """Nothing to check before a database is open; ``/readyz`` and ``kameng doctor`` tell the server's version."""

    async def prep_database(self) -> None:
        """Extensions are created by migrations, where they can be reviewed and undone."""

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:
        """Run a query of Piccolo's in the current database, within the task's transaction if there is one."""
        sql, arguments = querystring.compile_string(engine_type=self.engine_type)
        return await current_database().fetch(sql, *arguments)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:
        """Run definitions in the current database, within the task's transaction if there is one; may be several."""
        await current_database().execute(ddl)
        return []

    async def _run_in_new_connection(self, query: str, args: Sequence[Any] | None = None) -> Any:
        return await current_database().fetch(query, *(args or ()))

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Any:
        return await current_database().fetch(query, *(args or ()))

    def transaction_exists(self) -> bool:
        """Whether the task is inside a transaction."""
        return current_database().scope is not None

    def transaction(self, allow_nested: bool = True) -> PostgresTransaction:
        """Our transaction: nested ones are savepoints, so ``allow_nested`` changes nothing."""
        return cast("PostgresTransaction", current_database().transaction())

    async def batch(
        self, query: Query[Any, Any], batch_size: int = 100, node: str | None = None
    ) -> AsyncBatch:
        """Not offered: it would run outside the task's transaction.

        Raises:
            TransactionError: always.
        """
        raise TransactionError("Piccolo's batch() leaves the transaction.", cure="Read keyset pages instead.")


ENGINE = KamengEngine()
"""The process's one engine for Piccolo."""
