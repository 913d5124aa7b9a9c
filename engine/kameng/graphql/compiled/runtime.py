"""What generated code and completers call while a request runs.

The tasks and the order in which they are made are exactly those of graphql-core 3.3 (``Executor.execute_fields``,
``complete_iterable_value``, ``complete_awaitable_value``): a place with one pending value awaits it directly, one
with several gathers them as tasks and cancels the rest on the first error. Nothing here yields to the event loop
where graphql-core would not. That is why the order of errors, what is cancelled, and how DataLoaders batch are
the same by construction and not by luck. What differs is only what happens between two yields.
"""

from asyncio import Future, gather
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from inspect import CO_ITERABLE_COROUTINE
from types import CoroutineType, GeneratorType
from typing import Any

from graphql import GraphQLError, is_non_null_type, located_error
from graphql.execution.values import VariableValues
from graphql.language import FieldNode
from graphql.pyutils import gather_with_cancel
from graphql.type import GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfoHelpers

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


class Request:
    """The state of one execution.

    Args:
        operation: the constants of the operation.
        variables: the coerced variables.
        inputs: the variables as they came.
        context: what resolvers get as ``info.context``.
        root: the root value.
        extensions: the request's own extensions, ``info.operation_extensions``.
    """

    __slots__ = (
        "_nulled",
        "_values",
        "arguments",
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
    ) -> None:
        self.operation = operation
        self.variables = variables
        self.inputs = inputs
        self.context = context
        self.root = root
        self.extensions = extensions
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


Complete = Callable[[Any, Request, Place], Any]


class Position:
    """Where a value is completed: a field, or an item of a list.

    Attributes:
        complete: turns the value into its response form, or into a coroutine that will; raises what the value
            is at fault for.
        nodes: the field nodes that errors point at.
        required: whether the type is non-null, so that an error nulls what is above.
    """

    __slots__ = ("complete", "nodes", "required")

    def __init__(self, nodes: list[FieldNode], required: bool) -> None:
        self.nodes = nodes
        self.required = required
        self.complete: Complete

    def fail(self, error: Exception, request: Request, place: Place) -> Any:
        """Handle an error at this position; what stands there instead is ``None``.

        Raises:
            GraphQLError: the located error, where the type is non-null.
        """
        located = located_error(error, self.nodes, keys_of(place))
        if self.required:
            raise located
        request.add_error(located, place)
        return None


class FieldPosition(Position):
    """A field of an object type, as generated code and resolve infos know it; its number is its own in a plan."""

    __slots__ = ("key", "name", "number", "parent", "type")

    def __init__(
        self,
        number: int,
        nodes: list[FieldNode],
        key: str,
        name: str,
        parent: GraphQLObjectType,
        type_: GraphQLOutputType,
    ) -> None:
        super().__init__(nodes, is_non_null_type(type_))
        self.number = number
        self.key = key
        self.name = name
        self.parent = parent
        self.type = type_


Pending = list[tuple[Any, Awaitable[Any]]]


def pend(pending: Pending | None, key: Any, value: Awaitable[Any]) -> Pending:
    """Add one pending value of an object or list."""
    if pending is None:
        return [(key, value)]
    pending.append((key, value))
    return pending


def advance(value: Any, position: Position, request: Request, place: Place) -> Any:
    """Complete a value of any kind; raises its errors, or returns a coroutine that handles them itself."""
    if is_awaitable(value):
        return complete_awaitable(value, position, request, place)
    completed = position.complete(value, request, place)
    if is_awaitable(completed):
        return guard(completed, position, request, place)
    return completed


def step(
    value: Any, field: FieldPosition, request: Request, parent: Place | None, pending: Pending | None
) -> tuple[Any, Pending | None]:
    """``advance`` for a field of the object at ``parent``; a coroutine joins the object's pending fields."""
    advanced = advance(value, field, request, (parent, field.key, field.parent.name))
    if type(advanced) is CoroutineType:
        return advanced, pend(pending, field.key, advanced)
    return advanced, pending


def hold(
    value: Awaitable[Any],
    field: FieldPosition,
    request: Request,
    parent: Place | None,
    pending: Pending | None,
) -> tuple[Any, Pending]:
    """``guard`` for a field of the object at ``parent``, which joins the object's pending fields."""
    guarded = guard(value, field, request, (parent, field.key, field.parent.name))
    return guarded, pend(pending, field.key, guarded)


def fail(
    error: Exception, field: FieldPosition, request: Request, parent: Place | None, pending: Pending | None
) -> Any:
    """``Position.fail`` for a field of the object at ``parent``; first lets go of what the object still awaits."""
    try:
        return field.fail(error, request, (parent, field.key, field.parent.name))
    except GraphQLError:
        if pending is not None:
            request.settle([value for _, value in pending])
        raise


async def complete_awaitable(
    value: Awaitable[Any], position: Position, request: Request, place: Place
) -> Any:
    """Await a value, complete it, and handle its errors."""
    try:
        completed = position.complete(await value, request, place)
        if is_awaitable(completed):
            completed = await completed
    except Exception as error:
        return position.fail(error, request, place)
    return completed


async def guard(value: Awaitable[Any], position: Position, request: Request, place: Place) -> Any:
    """Await a completion that is under way, and handle its errors."""
    try:
        return await value
    except Exception as error:
        return position.fail(error, request, place)


async def finish_object(result: dict[str, Any], pending: Pending) -> dict[str, Any]:
    """Await the pending fields of an object."""
    if len(pending) == 1:
        key, value = pending[0]
        result[key] = await value
    else:
        values = await gather_with_cancel(*[value for _, value in pending])
        for (key, _), completed in zip(pending, values, strict=True):
            result[key] = completed
    return result


async def finish_list(result: list[Any], pending: Pending) -> list[Any]:
    """Await the pending items of a list."""
    if len(pending) == 1:
        index, value = pending[0]
        result[index] = await value
    else:
        values = await gather_with_cancel(*[value for _, value in pending])
        for (index, _), completed in zip(pending, values, strict=True):
            result[index] = completed
    return result


def abandon_list(pending: Pending | None, rest: Iterator[Any], request: Request) -> None:
    """Let what a failed list still holds come to an end, the items that were not reached included."""
    awaitables = [value for _, value in pending] if pending else []
    with suppress(Exception):
        awaitables.extend(item for item in rest if is_awaitable(item))
    if awaitables:
        request.settle(awaitables)
