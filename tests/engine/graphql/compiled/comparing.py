"""Runs a document through graphql-core and through the compiler, and compares everything that can be seen."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError, GraphQLSchema, execute, parse, validate
from strawberry.execution import optimized_is_awaitable

from kameng.graphql.compiled import CompiledSchema, Invalid
from kameng.testing.documents import GeneratedDocument
from tests.engine.graphql.compiled.chaos import World

MOST_TURNS_AFTERWARDS = 1_000
CANCELLED = "A resolver was cancelled by something other than its request."


def as_json(data: Any, errors: Any) -> bytes:
    return orjson.dumps({"data": data, "errors": [error.formatted for error in errors or ()]}, default=repr)


async def by_core(
    schema: strawberry.Schema | GraphQLSchema,
    source: str,
    variables: dict[str, Any] | None = None,
    context: Any = None,
    root: Any = None,
    operation_name: str | None = None,
    rules: Any = None,
) -> tuple[Any, Any]:
    """Data and errors as graphql-core gives them; under Strawberry with its own executor."""
    graphql_schema = schema._schema if isinstance(schema, strawberry.Schema) else schema
    try:
        document = parse(source)
    except GraphQLError as error:
        return None, [error]
    errors = validate(graphql_schema, document, rules)
    if errors:
        return None, errors
    options: dict[str, Any] = {}
    if isinstance(schema, strawberry.Schema):
        options = {
            "executor_class": schema.execution_context_class,
            "is_awaitable": optimized_is_awaitable,
            "operation_extensions": None,
        }
    result: Any = execute(graphql_schema, document, root, context, variables, operation_name, **options)
    if optimized_is_awaitable(result):
        try:
            result = await result
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Cancelled from within: the one case in which graphql-core has no answer, and we have this one.
            return None, [GraphQLError(CANCELLED)]
    return result.data, result.errors


async def by_compiler(
    compiled: CompiledSchema,
    source: str,
    variables: dict[str, Any] | None = None,
    context: Any = None,
    root: Any = None,
    operation_name: str | None = None,
) -> tuple[Any, Any]:
    prepared = compiled.prepare(source, operation_name)
    result = (
        prepared.result()
        if isinstance(prepared, Invalid)
        else await prepared.execute(variables, context, root)
    )
    return result.data, result.errors


async def afterwards() -> None:
    """Let abandoned work come to its end, however long that takes."""
    for _ in range(MOST_TURNS_AFTERWARDS):
        if asyncio.all_tasks() == {asyncio.current_task()}:
            return
        await asyncio.sleep(0)
    raise AssertionError("abandoned work does not end")


async def compare(
    schema: strawberry.Schema | GraphQLSchema,
    compiled: CompiledSchema,
    generated: GeneratedDocument,
    world: Callable[[], World],
    root: Callable[[World], Any] = lambda _world: None,
) -> bytes:
    """The common answer.

    Raises:
        AssertionError: the answers, or the calls of resolvers and loaders, differ.
    """
    theirs, ours = world(), world()
    expected = as_json(
        *await by_core(
            schema,
            generated.source,
            dict(generated.variables),
            theirs,
            root(theirs),
            generated.operation_name,
            compiled.rules,
        )
    )
    await afterwards()
    for turn in range(2):  # the second time with what was learnt from the first
        ours = world()
        data, errors = await by_compiler(
            compiled,
            generated.source,
            dict(generated.variables),
            ours,
            root(ours),
            generated.operation_name,
        )
        if errors and errors[-1].message == CANCELLED:
            errors = errors[-1:]  # graphql-core keeps none of those before
        answer = as_json(data, errors)
        await afterwards()
        assert as_json(data, errors) == answer, "abandoned work changed the answer"
        assert answer == expected, f"answer {turn} differs:\n{answer.decode()}\n{expected.decode()}"
        assert ours.log == theirs.log, f"calls {turn} differ"
    return expected
