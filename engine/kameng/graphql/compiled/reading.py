"""Getting the values of an object's fields, after one of them failed.

Generated code gets all fields of an object in a single ``try``: that is far less to compile than one for each. The
line at which it failed tells which field that was. The ones before it keep their values, the ones after it are got
here, in the same way. Nothing is read or called twice.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from kameng.graphql.compiled.access import Call
from kameng.graphql.compiled.arguments import Arguments
from kameng.graphql.compiled.info import ResolveInfo
from kameng.graphql.compiled.request import Place, Request
from kameng.graphql.compiled.runtime import FieldPosition, Pending, fail, step

Read = Callable[[Any, Request, Place | None], Any]
"""Gets the value of a field: of an object, for a request, at the object's place."""


def attribute_reader(name: str) -> Read:
    """Reads an attribute."""
    return lambda source, _request, _parent: getattr(source, name)


def _given(arguments: Arguments, request: Request) -> Any:
    return arguments(request) if callable(arguments) else arguments


def _info(field: FieldPosition, request: Request, parent: Place | None) -> ResolveInfo:
    return ResolveInfo(field, request, (parent, field.key, field.parent.name))


def resolver_reader(function: Callable[..., Any], field: FieldPosition, arguments: Arguments) -> Read:
    """Calls a resolver of the schema."""

    def read(source: Any, request: Request, parent: Place | None) -> Any:
        return function(source, _info(field, request, parent), **_given(arguments, request))

    return read


def call_reader(call: Call, field: FieldPosition, arguments: Arguments, info_class: type[Any]) -> Read:
    """Calls a Strawberry field's own function."""

    def read(source: Any, request: Request, parent: Place | None) -> Any:
        named = dict.fromkeys(call.source_names, source)
        if call.info_name is not None:
            named[call.info_name] = info_class(_raw_info=_info(field, request, parent), _field=call.field)
        first = (source,) if call.takes_self else ()
        return call.function(*first, **named, **_given(arguments, request))

    return read


class FieldRun:
    """The fields of one object function, each with what gets its value and the line at which it begins."""

    __slots__ = ("fields", "lines")

    def __init__(self) -> None:
        self.fields: list[tuple[FieldPosition, Read]] = []
        self.lines: list[int] = []

    def add(self, field: FieldPosition, read: Read, line: int) -> None:
        """Add a field; ``line`` counts from the function's first line, which is 1."""
        self.fields.append((field, read))
        self.lines.append(line)


def resume(
    error: Exception,
    run: FieldRun,
    source: Any,
    request: Request,
    parent: Place | None,
    pending: Pending | None,
    values: tuple[Any, ...],
) -> list[Any]:
    """Handle the error of a field and get the rest: the values of all fields, then the pending ones.

    Raises:
        GraphQLError: a field that may not be null failed.
    """
    traceback: Any = error.__traceback__
    line = traceback.tb_lineno - traceback.tb_frame.f_code.co_firstlineno + 1
    failed = bisect_right(run.lines, line) - 1
    result: list[Any] = list(values[:failed])
    result.append(fail(error, run.fields[failed][0], request, parent, pending))
    for field, read in run.fields[failed + 1 :]:
        try:
            value, pending = step(read(source, request, parent), field, request, parent, pending)
        except Exception as another:
            value = fail(another, field, request, parent, pending)
        result.append(value)
    result.append(pending)
    return result
