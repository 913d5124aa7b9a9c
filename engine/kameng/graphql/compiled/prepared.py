"""A document's operation, ready to be executed again and again."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import structlog
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from strawberry import Schema

from kameng.graphql.compiled.compiler import CompiledOperation
from kameng.graphql.compiled.document import Document, Usage, usage_of
from kameng.graphql.compiled.facts import SchemaFacts
from kameng.graphql.compiled.fallback import Fallback
from kameng.graphql.compiled.limits import (
    CONDITION,
    DIRECTIVE,
    FAULT,
    ROOT_FIELD,
    CompileLimits,
    NotCompilable,
)
from kameng.graphql.compiled.operation import Operation
from kameng.graphql.compiled.request import Around, Request
from kameng.graphql.compiled.result import Result
from kameng.graphql.compiled.streams import response_stream, source_stream

log = structlog.get_logger(__name__)


class Invalid:
    """A document that cannot be executed: not GraphQL, not valid, or without the operation asked for.

    Attributes:
        document: the document.
        errors: what is wrong, in graphql-core's order.
    """

    __slots__ = ("document", "errors")

    def __init__(self, document: Document, errors: tuple[GraphQLError, ...]) -> None:
        self.document = document
        self.errors = errors

    def result(self) -> Result:
        """The answer to every request with this document."""
        return Result(None, self.errors, executed=False)


class Prepared:
    """One operation of a valid document.

    Compiled when it is executed for the first time, since a request may still be refused before (by its cost, by
    a missing permission).

    Attributes:
        document: the document.
        node: the operation.
        usage: what the operation uses.
        fallback_reason: why graphql-core executes it, if it is known that it does; one of the names in ``limits``.
    """

    __slots__ = (
        "_facts",
        "_fallback",
        "_inert",
        "_limits",
        "_on_code",
        "_on_fallback",
        "_on_profile",
        "_operation",
        "_profile",
        "_schema",
        "_variants",
        "document",
        "fallback_reason",
        "node",
        "usage",
    )

    def __init__(
        self,
        document: Document,
        operation: Operation,
        *,
        schema: Schema | None,
        facts: SchemaFacts,
        limits: CompileLimits,
        inert_directives: frozenset[str],
        fallback: Fallback,
        fallback_reason: str | None,
        on_fallback: Callable[[str], None],
        on_code: Callable[[int], None],
        on_profile: Callable[[int], None],
    ) -> None:
        self.document = document
        self.node: OperationDefinitionNode = operation.node
        self.usage: Usage = usage_of(operation.node, document.fragments)
        self.fallback_reason = fallback_reason
        self._profile: Any = None
        self._operation = operation
        self._schema = schema
        self._facts = facts
        self._limits = limits
        self._inert = inert_directives
        self._fallback = fallback
        self._on_fallback = on_fallback
        self._on_code = on_code
        self._on_profile = on_profile
        self._variants: dict[tuple[bool, ...], CompiledOperation] = {}
        if self.fallback_reason is None and not self.usage.directives <= inert_directives:
            self.fallback_reason = DIRECTIVE

    @property
    def profile(self) -> Any:
        """What those who admit requests found out about the operation, kept as long as it; ``None`` until they did."""
        return self._profile

    def keep_profile(self, profile: Any, size: int) -> None:
        """Keep what was found out about the operation.

        Args:
            profile: comes back as `profile`.
            size: the memory that it takes, in bytes; it counts as the document's.
        """
        self._profile = profile
        self._on_profile(size)

    def compile(self, conditions: Mapping[str, bool]) -> bool:
        """Compile the operation ahead of its first request.

        Args:
            conditions: values of the variables that `usage` names as conditions.

        Returns:
            whether generated code executes it with these; else graphql-core does.
        """
        return self._variant(dict(conditions)) is not None

    @property
    def operation(self) -> Operation:
        """What stays the same from one request to the next."""
        return self._operation

    @property
    def kind(self) -> str:
        """``query``, ``mutation`` or ``subscription``."""
        return self.node.operation.value

    @property
    def name(self) -> str | None:
        """The operation's name."""
        return self.node.name.value if self.node.name is not None else None

    @property
    def introspection(self) -> bool:
        """Whether the operation asks the schema about itself."""
        return self.usage.introspection

    @property
    def compiled(self) -> bool:
        """Whether generated code executes the operation, as far as is known before it was ever executed."""
        return self.fallback_reason is None

    async def execute(
        self,
        variables: Mapping[str, Any] | None = None,
        context: Any = None,
        root: Any = None,
        extensions: dict[str, Any] | None = None,
        around: Around | None = None,
    ) -> Result:
        """Execute a query or mutation.

        Args:
            variables: the variables as they came.
            context: the request's context, ``info.context``.
            root: the root value.
            extensions: the request's extensions, ``info.input_extensions`` under Strawberry.
            around: stands around each root field of a mutation, see `Request`; a mutation that is left to
                graphql-core is refused then.
        """
        inputs = variables or {}
        coerced = self._operation.variables.coerce(inputs)
        if isinstance(coerced, list):
            return Result(None, coerced, executed=False)
        compiled = self._variant(coerced)
        if compiled is None:
            if around is not None:
                message = "This mutation is too large, or bears a directive that it cannot have."
                return Result(None, (GraphQLError(message),), executed=False)
            return await self._fallback.execute(
                self._operation,
                inputs,
                context,
                root,
                extensions,
                with_directives=not self.usage.directives <= self._inert,
            )
        request = Request(self._operation, coerced, inputs, context, root, extensions, around)
        data = await compiled.run(request)
        return Result(data, request.errors)

    async def subscribe(
        self,
        variables: Mapping[str, Any] | None = None,
        context: Any = None,
        root: Any = None,
        extensions: dict[str, Any] | None = None,
    ) -> AsyncGenerator[Result, None] | Result:
        """Start a subscription.

        Returns:
            An asynchronous generator of one result for each event, which the caller closes; or a result with the
            errors for which the subscription could not start.
        """
        if self.node.operation is not OperationType.SUBSCRIPTION:
            return Result(None, (GraphQLError("Expected subscription operation."),), executed=False)
        inputs = variables or {}
        coerced = self._operation.variables.coerce(inputs)
        if isinstance(coerced, list):
            return Result(None, coerced, executed=False)
        compiled = self._variant(coerced)
        if compiled is None:
            return await self._fallback.subscribe(
                self._operation,
                inputs,
                context,
                root,
                extensions,
                with_directives=not self.usage.directives <= self._inert,
            )
        request = Request(self._operation, coerced, inputs, context, root, extensions)
        try:
            source = await source_stream(compiled.plan.fields[0], request)
        except GraphQLError as error:
            return Result(None, (error,), executed=False)
        return response_stream(source, compiled, request)

    def _variant(self, coerced: dict[str, Any]) -> CompiledOperation | None:
        if self.fallback_reason is not None:
            self._on_fallback(self.fallback_reason)
            return None
        conditions = tuple(coerced.get(name) for name in self.usage.conditions)
        known = self._variants.get(conditions)  # type: ignore[arg-type] # anything but Booleans is simply not found
        if known is not None:
            return known
        if not all(type(value) is bool for value in conditions):
            self._on_fallback(CONDITION)
            return None
        values: dict[str, Any] = dict(zip(self.usage.conditions, conditions, strict=True))
        try:
            compiled = CompiledOperation(
                self._operation, values, self._facts, self._schema, self._limits, self._on_code
            )
        except NotCompilable as reason:
            if reason.reason != ROOT_FIELD:  # which may be there with other variables
                self.fallback_reason = reason.reason
            self._on_fallback(reason.reason)
            return None
        except Exception:
            log.exception("compiling a GraphQL operation failed", operation=self.name)
            self.fallback_reason = FAULT
            self._on_fallback(FAULT)
            return None
        while len(self._variants) >= self._limits.variants:
            self._variants.pop(next(iter(self._variants)))
        self._variants[conditions] = compiled  # type: ignore[index] # all are Booleans by now
        return compiled
