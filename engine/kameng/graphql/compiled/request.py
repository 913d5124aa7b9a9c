"""The state of one execution, and the places of its response."""

from asyncio import Future, gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import CO_ITERABLE_COROUTINE
from types import CoroutineType, GeneratorType
from typing import Any

from graphql import GraphQLError
from graphql.execution.values import VariableValues
from graphql.pyutils import gather_with_cancel
from graphql.type import GraphQLResolveInfoHelpers

from kameng.graphql.compiled.operation import Operation

# A place in the response: (place of the parent, key or index, name of the parent's object type or None for an
# index), the shape of graphql-core's `Path` without the cost of making one.
Place = tuple[Any, str | int, str | None]

PLAIN = frozenset({type(None), bool, int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset})
"""Classes whose instances are never awaitable."""


def is_awaitable(value: Any) -> bool:
    """Whether graphql-core would await this value; the same test, with a short way for plain values."""
    if type(value) in PLAIN:
        return False
    return (
        isinstance(value, CoroutineType)
        or (isinstance(value, GeneratorType) and bool(value.gi_code.co_flags & CO_ITERABLE_COROUTINE))
        or hasattr(value, "__await__")
    )


def keys_of(place: Place) -> list[str | int]:
    """The response path of a place, from the root down."""
    keys: list[str | int] = []
    current: Place | None = place
    while current is not None:
        keys.append(current[1])
        current = current[0]
    keys.reverse()
    return keys


Around = Callable[[Any, "Request", Callable[[], Awaitable[dict[str, Any]]], int], Awaitable[dict[str, Any]]]
"""What stands around a root field of a mutation, see `Request`."""


class Request:
    """The state of one execution.

    Args:
        operation: the constants of the operation.
        variables: the coerced variables.
        inputs: the variables as they came.
        context: what resolvers get as ``info.context``.
        root: the root value.
        extensions: the request's own extensions, ``info.operation_extensions``.
        around: called for each root field of a mutation, in place of building its part of the answer: with the
            field's plan, the request, what builds the part, and the number of root fields.
    """

    __slots__ = (
        "_nulled",
        "_values",
        "arguments",
        "around",
        "background",
        "context",
        "errors",
        "extensions",
        "inputs",
        "operation",
        "root",
        "variables",
    )

    def __init__(
        self,
        operation: Operation,
        variables: dict[str, Any],
        inputs: Mapping[str, Any],
        context: Any,
        root: Any,
        extensions: dict[str, Any] | None,
        around: Around | None = None,
    ) -> None:
        self.operation = operation
        self.variables = variables
        self.inputs = inputs
        self.context = context
        self.root = root
        self.extensions = extensions
        self.around = around
        self.errors: list[GraphQLError] = []
        self.arguments: dict[int, dict[str, Any]] = {}
        self.background: set[Future[Any]] | None = None
        self._nulled: set[Place | None] | None = None
        self._values: VariableValues | None = None

    def values(self) -> VariableValues:
        """The variables in graphql-core's own container, made when somebody asks for it."""
        if self._values is None:
            self._values = self.operation.variables.container(self.variables, self.inputs)
        return self._values

    def add_error(self, error: GraphQLError, place: Place | None) -> None:
        """Note an error whose value at ``place`` becomes null, unless something above it is null already."""
        nulled = self._nulled
        if nulled is None:
            nulled = self._nulled = set()
        else:
            current = place
            while current is not None:
                if current in nulled:
                    return
                current = current[0]
            if None in nulled:
                return
        nulled.add(place)
        self.errors.append(error)

    def settle(self, pending: Sequence[Awaitable[Any]]) -> None:
        """Let awaitables that nobody waits for any more come to an end, so that none is left orphaned."""
        background = self.background
        if background is None:
            background = self.background = set()
        future = gather(*pending, return_exceptions=True)
        background.add(future)
        future.add_done_callback(background.discard)

    def track(self, values: Sequence[Any]) -> None:
        """``info.async_helpers.track`` of graphql-core."""
        pending = [value for value in values if is_awaitable(value)]
        if pending:
            self.settle(pending)

    def helpers(self) -> GraphQLResolveInfoHelpers:
        """``info.async_helpers`` of graphql-core."""
        return GraphQLResolveInfoHelpers(gather=lambda values: gather_with_cancel(*values), track=self.track)
