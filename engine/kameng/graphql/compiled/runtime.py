"""What generated code and completers call while a request runs.

The tasks and the order in which they are made are exactly those of graphql-core 3.3 (``Executor.execute_fields``,
``complete_iterable_value``, ``complete_awaitable_value``): a place with one pending value awaits it directly, one
with several gathers them as tasks and cancels the rest on the first error. Nothing here yields to the event loop
where graphql-core would not. That is why the order of errors, what is cancelled, and how DataLoaders batch are
the same by construction and not by luck. What differs is only what happens between two yields.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import CoroutineType
from typing import Any

from graphql import GraphQLError, is_non_null_type, located_error
from graphql.language import FieldNode
from graphql.pyutils import gather_with_cancel
from graphql.type import GraphQLObjectType, GraphQLOutputType

from kameng.graphql.compiled.request import Place, Request, is_awaitable, keys_of

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
    """A field of an object type, as generated code and resolve infos know it; its number is its own in a plan.

    Attributes:
        selection: room for what resolvers found out about the document below this field, kept with the plan.
    """

    __slots__ = ("key", "name", "number", "parent", "selection", "type")

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
        self.selection: Any = None


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
