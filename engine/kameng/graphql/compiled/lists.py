"""Completion of lists: loops over items that know what an item usually is.

A loop takes any iterable, so it never goes over it twice, and what it does with an item that is not the usual one
is what graphql-core does (``Executor.complete_iterable_value``).
"""

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from contextlib import suppress
from types import CoroutineType
from typing import Any

from graphql import located_error

from kameng.graphql.compiled.facts import CAST
from kameng.graphql.compiled.request import Place, Request, keys_of
from kameng.graphql.compiled.runtime import Pending, Position, abandon_list, advance, finish_list, guard, pend

Build = Callable[[Any, Request, Place | None], Any]
"""Executes the fields of one object: a dict, or a coroutine that gives it."""

Loop = Callable[[Iterable[Any], Request, Place], Any]
"""Completes the items of one list: a list, or a coroutine that gives it."""


def value_loop(item: Position) -> Loop:
    """A loop over items of any kind."""

    def loop(values: Iterable[Any], request: Request, place: Place) -> Any:
        result: list[Any] = []
        pending: Pending | None = None
        index = 0
        iterator = iter(values)
        try:
            for value in iterator:
                at = (place, index, None)
                try:
                    completed = advance(value, item, request, at)
                    if type(completed) is CoroutineType:
                        pending = pend(pending, index, completed)
                except Exception as error:
                    completed = item.fail(error, request, at)
                result.append(completed)
                index += 1
        except Exception:
            abandon_list(pending, iterator, request)
            raise
        return result if pending is None else finish_list(result, pending)

    return loop


def class_loop(item: Position, class_: type) -> Loop:
    """A loop over leaves that are their own response form if they are of one class."""
    careful = value_loop(item)

    def loop(values: Iterable[Any], request: Request, place: Place) -> Any:
        if type(values) is list:
            for value in values:
                if type(value) is not class_:
                    break
            else:
                return values.copy()
        return careful(values, request, place)

    return loop


def object_loop(item: Position, builds: Mapping[type, Build], guarded: bool) -> Loop:
    """A loop over objects.

    Args:
        item: the item's position.
        builds: what executes an object, by the class of the value; grows while values are completed.
        guarded: whether a value may be marked as another type by ``strawberry.cast``.
    """

    def loop(values: Iterable[Any], request: Request, place: Place) -> Any:
        result: list[Any] = []
        pending: Pending | None = None
        index = 0
        iterator = iter(values)
        try:
            for value in iterator:
                at = (place, index, None)
                try:
                    build = builds.get(type(value))
                    if build is not None and not (guarded and getattr(value, CAST, None) is not None):
                        completed = build(value, request, at)
                        if type(completed) is CoroutineType:
                            completed = guard(completed, item, request, at)
                            pending = pend(pending, index, completed)
                    else:
                        completed = advance(value, item, request, at)
                        if type(completed) is CoroutineType:
                            pending = pend(pending, index, completed)
                except Exception as error:
                    completed = item.fail(error, request, at)
                result.append(completed)
                index += 1
        except Exception:
            abandon_list(pending, iterator, request)
            raise
        return result if pending is None else finish_list(result, pending)

    return loop


async def complete_async_iterable(
    values: AsyncIterable[Any], field: Position, item: Position, request: Request, place: Place
) -> list[Any]:
    """Complete the items of an asynchronous iterable, one after the other as they come.

    Raises:
        GraphQLError: the iterable failed, or an item that may not be null did.
    """
    result: list[Any] = []
    pending: Pending | None = None
    iterator = aiter(values)
    close = getattr(iterator, "aclose", None)
    index = 0
    try:
        while True:
            at = (place, index, None)
            try:
                value = await anext(iterator)
            except StopAsyncIteration:
                break
            except Exception as error:
                raise located_error(error, field.nodes, keys_of(place)) from error
            try:
                completed = advance(value, item, request, at)
                if type(completed) is CoroutineType:
                    pending = pend(pending, index, completed)
            except Exception as error:
                completed = item.fail(error, request, at)
            result.append(completed)
            index += 1
    except Exception:
        if close is not None:
            with suppress(Exception):
                await close()
        if pending is not None:
            request.settle([value for _, value in pending])
        raise
    return result if pending is None else await finish_list(result, pending)
