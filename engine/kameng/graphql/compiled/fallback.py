"""Execution by graphql-core, for what the compiler leaves to it."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from graphql import ExecutionResult, MiddlewareManager, execute, subscribe
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions.directives import DirectivesExtension

from kameng.graphql.compiled.operation import Operation
from kameng.graphql.compiled.request import is_awaitable
from kameng.graphql.compiled.result import Result


class Fallback:
    """Executes operations with graphql-core, in the way that Strawberry sets it up.

    Args:
        schema: the Strawberry schema, if there is one.
    """

    def __init__(self, schema: Schema | None) -> None:
        self._schema = schema

    def _options(self, with_directives: bool, extensions: dict[str, Any] | None) -> dict[str, Any]:
        if self._schema is None:
            return {}
        options: dict[str, Any] = {
            "executor_class": self._schema.execution_context_class,
            "is_awaitable": optimized_is_awaitable,
            "operation_extensions": extensions,
        }
        if with_directives and self._schema.directives:
            options["middleware"] = MiddlewareManager(DirectivesExtension())
        return options

    async def execute(
        self,
        operation: Operation,
        inputs: Mapping[str, Any],
        context: Any,
        root: Any,
        extensions: dict[str, Any] | None,
        *,
        with_directives: bool,
    ) -> Result:
        """Execute a query or mutation.

        Args:
            operation: the operation.
            inputs: the variables as they came.
            context: the request's context.
            root: the root value.
            extensions: the request's extensions.
            with_directives: whether Strawberry's own directives may do their work.
        """
        name = operation.node.name
        result: Any = execute(
            operation.schema,
            operation.document,
            root,
            context,
            dict(inputs),
            name.value if name is not None else None,
            hide_suggestions=operation.hide_suggestions,
            **self._options(with_directives, extensions),
        )
        return to_result(await result if is_awaitable(result) else result)

    async def subscribe(
        self,
        operation: Operation,
        inputs: Mapping[str, Any],
        context: Any,
        root: Any,
        extensions: dict[str, Any] | None,
        *,
        with_directives: bool,
    ) -> AsyncGenerator[Result, None] | Result:
        """Start a subscription; see ``execute`` for the arguments."""
        name = operation.node.name
        stream: Any = subscribe(
            operation.schema,
            operation.document,
            root,
            context,
            dict(inputs),
            name.value if name is not None else None,
            hide_suggestions=operation.hide_suggestions,
            **self._options(with_directives, extensions),
        )
        if is_awaitable(stream):
            stream = await stream
        if isinstance(stream, ExecutionResult):
            return Result(None, stream.errors or (), executed=False)
        return _results(stream)


def to_result(result: ExecutionResult) -> Result:
    """graphql-core's result as ours."""
    return Result(result.data, result.errors or ())


async def _results(stream: Any) -> AsyncGenerator[Result, None]:
    try:
        async for result in stream:
            yield to_result(result)
    finally:
        await stream.aclose()
