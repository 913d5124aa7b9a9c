"""Executing documents against a composed schema: parsed and validated once, answered many times, faults masked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    subscribe,
    validate,
)

from kameng.errors import Refusal
from kameng.graphql.composition import ComposedSchema

if TYPE_CHECKING:
    from kameng.graphql.context import Context

log = structlog.get_logger(__name__)

MAX_CACHED = 2_000
"""Documents kept parsed and validated."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that was parsed and validated.

    Attributes:
        document: its syntax tree; None where it could not be parsed.
        operation: the operation to run; None where the document is unusable.
        errors: why it is unusable.
    """

    document: DocumentNode | None
    operation: OperationDefinitionNode | None
    errors: tuple[GraphQLError, ...] = ()

    @property
    def kind(self) -> OperationType | None:
        """Query, mutation or subscription; None where the document is unusable."""
        return self.operation.operation if self.operation else None


class Answer(msgspec.Struct, omit_defaults=True):
    """The answer to an operation, as GraphQL's JSON has it.

    Attributes:
        errors: what went wrong, if anything.
        data: the result; ``msgspec.UNSET`` where the request was refused before it ran.
        extensions: additional facts, such as the cost.
    """

    errors: list[dict[str, Any]] | None = None
    data: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    extensions: dict[str, Any] | None = None

    @property
    def ran(self) -> bool:
        """Whether the operation was executed at all."""
        return self.data is not msgspec.UNSET


class Executor:
    """Runs documents of one schema.

    Args:
        schema: what to run them against.
    """

    def __init__(self, schema: ComposedSchema) -> None:
        self.schema = schema
        self._graphql = schema._schema
        self._cache: OrderedDict[tuple[str, str | None], Prepared] = OrderedDict()

    def prepare(self, source: str, operation_name: str | None = None) -> Prepared:
        """Parse and validate a document, or find it in the cache."""
        key = (source, operation_name)
        prepared = self._cache.get(key)
        if prepared is None:
            prepared = self._cache[key] = self._prepare(source, operation_name)
            if len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        return prepared

    def _prepare(self, source: str, operation_name: str | None) -> Prepared:
        try:
            document = parse(source)
        except GraphQLError as error:
            return Prepared(None, None, (error,))
        if errors := validate(self._graphql, document):
            return Prepared(document, None, tuple(errors))
        operation = get_operation_ast(document, operation_name)
        if operation is None:
            named = f"no operation named {operation_name!r}" if operation_name else "more than one operation"
            return Prepared(
                document, None, (GraphQLError(f"The document has {named}; name one in operationName."),)
            )
        return Prepared(document, operation)

    async def execute(
        self,
        source: str,
        variables: Mapping[str, Any] | None,
        context: Context,
        operation_name: str | None = None,
    ) -> Answer:
        """Run a query or mutation."""
        prepared = self.prepare(source, operation_name)
        if prepared.document is None or prepared.operation is None:
            return Answer(errors=[formatted(error, context) for error in prepared.errors])
        result = execute(
            self._graphql,
            prepared.document,
            variable_values=dict(variables or {}),
            operation_name=operation_name,
            context_value=context,
        )
        if not isinstance(result, ExecutionResult):
            result = await result
        return _answer(result, context)

    async def subscribe(
        self,
        source: str,
        variables: Mapping[str, Any] | None,
        context: Context,
        operation_name: str | None = None,
    ) -> Answer | AsyncIterator[Answer]:
        """Run a subscription: an answer where it was refused, else the stream of its answers."""
        prepared = self.prepare(source, operation_name)
        if prepared.document is None or prepared.operation is None:
            return Answer(errors=[formatted(error, context) for error in prepared.errors])
        result = subscribe(
            self._graphql,
            prepared.document,
            variable_values=dict(variables or {}),
            operation_name=operation_name,
            context_value=context,
        )
        stream = (
            result if isinstance(result, ExecutionResult) or hasattr(result, "__aiter__") else await result
        )
        if isinstance(stream, ExecutionResult):
            return _answer(stream, context)
        return _answers(stream, context)


async def _answers(stream: Any, context: Context) -> AsyncIterator[Answer]:
    try:
        async for result in stream:
            yield _answer(result, context)
    finally:
        await stream.aclose()


def _answer(result: ExecutionResult, context: Context) -> Answer:
    errors = [formatted(error, context) for error in result.errors] if result.errors else None
    if result.data is None and errors and all("path" not in error for error in errors):
        return Answer(errors=errors)
    return Answer(errors=errors, data=result.data)


def formatted(error: GraphQLError, context: Context) -> dict[str, Any]:
    """An error as the client sees it: refusals with their code, mistakes of the document as they are, faults masked."""
    shown: dict[str, Any] = {**error.formatted}
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error:
        original = original.original_error
    if isinstance(original, Refusal):
        shown["message"] = original.message
        shown["extensions"] = {"code": original.code, "cure": original.cure}
    elif original is None or isinstance(original, GraphQLError):
        shown.setdefault("extensions", {"code": "GRAPHQL_INVALID"})
    else:
        log.error(
            "resolver failed",
            correlation_id=context.correlation_id,
            path=error.path,
            exc_info=(type(original), original, original.__traceback__),
        )
        shown["message"] = (
            f"Something went wrong on our side; nothing more is known here. Reference: {context.correlation_id}"
        )
        shown["extensions"] = {"code": "INTERNAL", "correlationId": context.correlation_id}
    return shown
