"""One document, carried out twice from the same state: by graphql-core and by the compiler.

Both run inside one transaction that is rolled back. What else could differ from one time to the next is held still: new
ids count up, the clock of the database stands, identity columns are set back, and the database answers only when
nothing else is left to do and Valkey has answered, so that the order of statements does not depend on how fast they are.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any, Literal
from uuid import UUID

import orjson
import pytest
import uuid_utils.compat
from graphql import execute, parse, validate
from redis.asyncio import Redis
from strawberry.execution import optimized_is_awaitable

from kameng.auth import Principal
from kameng.db import counted_statements
from kameng.db.transaction import Scope
from kameng.graphql import Context
from kameng.graphql.compiled import Invalid
from kameng.graphql.execution import formatted
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.testing.documents import GeneratedDocument

QUIET_TURNS = 30
"""Turns of the event loop after which everything that can go on without the database has done so."""

_SEQUENCES = """
select s.schemaname || '.' || s.sequencename as name, s.last_value from pg_sequences s where s.last_value is not null
"""


class _Undone(Exception):
    """Ends a block that is rolled back."""


@dataclass(frozen=True)
class Outcome:
    """What can be seen of one execution.

    Attributes:
        answer: data and errors as JSON.
        statements: the SQL that ran, in order.
        cookies: what would be set in the browser.
    """

    answer: bytes
    statements: list[str]
    cookies: list[str]


@contextmanager
def standing_still(patch: pytest.MonkeyPatch, *, ids: bool = True) -> Iterator[Callable[[], None]]:
    """Transactions are slow but even, and batches of orders join that of their request.

    Args:
        patch: undone at the end.
        ids: whether new ids, numbers of orders and visitors' tokens count up, from one whenever the yielded function is called.
    """
    numbers = count()

    def start() -> None:
        nonlocal numbers
        numbers = count(1)

    def next_id() -> UUID:
        return UUID(int=(0x7FFF << 112) | (0x7 << 76) | (0x8 << 60) | next(numbers))

    def next_bits(bits: int) -> int:
        return next(numbers) % (1 << bits)

    def next_token(length: int) -> str:
        return base64.urlsafe_b64encode(next(numbers).to_bytes(length, "big")).decode().rstrip("=")

    run, ask = Scope.run, Redis.execute_command
    asking = 0

    async def ask_counted(client: Any, *args: Any, **options: Any) -> Any:
        nonlocal asking
        asking += 1
        try:
            return await ask(client, *args, **options)
        finally:
            asking -= 1

    async def run_evenly(scope: Scope, call: Callable[[Any], Any]) -> Any:
        async def calm(connection: Any) -> Any:
            try:
                return await call(connection)
            finally:
                quiet = 0
                while quiet < QUIET_TURNS:
                    await asyncio.sleep(0.001 if asking else 0)
                    quiet = 0 if asking else quiet + 1

        return await run(scope, calm)

    with patch.context() as patched:
        # A batch of orders belongs to no request, and would be committed.
        patched.setattr("kameng_fulfilment.desk.Context", copy_context)
        patched.setattr(Scope, "run", run_evenly)
        patched.setattr(Redis, "execute_command", ask_counted)
        if ids:
            patched.setattr(uuid_utils.compat, "uuid7", next_id)
            patched.setattr("kameng_fulfilment.numbers.secrets", SimpleNamespace(randbits=next_bits))
            patched.setattr("kameng.auth.visitors.secrets", SimpleNamespace(token_urlsafe=next_token))
        yield start


class CoreGaveUp(Exception):
    """graphql-core cancelled an answer of a loader for one field, which another field was waiting for."""


class Twice:
    """Carries documents out twice.

    Args:
        kernel: a running kernel with data.
        schema: against which schema.
        start: sets back what counts.
    """

    def __init__(self, kernel: Kernel, schema: Literal["shop", "admin"], start: Callable[[], None]) -> None:
        self._kernel = kernel
        self._schema: Literal["shop", "admin"] = schema
        self._start = start
        self._rules = kernel.graphql[schema]._compiled.rules

    async def __call__(
        self, generated: GeneratedDocument, principal: Principal, locale: str, key: str
    ) -> tuple[Outcome, Outcome]:
        """By graphql-core, and by the compiler."""
        ways: tuple[Callable[[GeneratedDocument, Context], Awaitable[tuple[Any, Any]]], ...] = (
            self._by_core,
            self._by_compiler,
        )
        outcomes = []
        async with _rolled_back(self._kernel):
            sequences = await self._kernel.db.fetch(_SEQUENCES)
            for way in ways:
                context = Context(
                    self._kernel,
                    principal=principal,
                    schema=self._schema,
                    locale=locale,
                    idempotency_key=key,
                    correlation_id="the-same",
                )
                self._start()
                async with _rolled_back(self._kernel):
                    outcomes.append(await self._carried_out(way, generated, context))
                for row in sequences:
                    await self._kernel.db.execute("select setval($1::text::regclass, $2)", *row)
        return outcomes[0], outcomes[1]

    async def _carried_out(
        self,
        way: Callable[[GeneratedDocument, Context], Awaitable[tuple[Any, Any]]],
        generated: GeneratedDocument,
        context: Context,
    ) -> Outcome:
        with counted_statements() as statements:
            data, errors = await way(generated, context)
        answer = {
            "data": data,
            "errors": [{**error.formatted, "shown": formatted(error, context)} for error in errors],
        }
        return Outcome(orjson.dumps(answer), list(statements), context.cookies)

    async def _by_core(self, generated: GeneratedDocument, context: Context) -> tuple[Any, Any]:
        schema = self._kernel.schemas[self._schema]
        document = parse(generated.source)
        if errors := validate(schema._schema, document, self._rules):
            return None, errors
        options: dict[str, Any] = {
            "executor_class": schema.execution_context_class,
            "is_awaitable": optimized_is_awaitable,
            "operation_extensions": None,
        }
        result: Any = execute(
            schema._schema,
            document,
            None,
            context,
            dict(generated.variables),
            generated.operation_name,
            **options,
        )
        if optimized_is_awaitable(result):
            try:
                result = await result
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                raise CoreGaveUp from error
        return result.data, result.errors or []

    async def _by_compiler(self, generated: GeneratedDocument, context: Context) -> tuple[Any, Any]:
        prepared = self._kernel.graphql[self._schema].prepare(generated.source, generated.operation_name)
        if isinstance(prepared, Invalid):
            return None, prepared.errors
        result = await prepared.execute(generated.variables, context)
        assert prepared.compiled, prepared.fallback_reason
        return result.data, result.errors


def fresh_key() -> str:
    """An idempotency key that nobody has used."""
    return str(new_id())


class _rolled_back:  # noqa: N801 - reads like the context managers beside it
    """A block of a transaction that leaves nothing behind."""

    def __init__(self, kernel: Kernel) -> None:
        self._scope = kernel.db.transaction()

    async def __aenter__(self) -> None:
        await self._scope.__aenter__()

    async def __aexit__(self, *_error: object) -> None:
        await self._scope.__aexit__(_Undone, _Undone(), None)
