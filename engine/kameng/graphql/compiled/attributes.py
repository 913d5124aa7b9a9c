"""Fields that are read from their object, one after the other, after one of them failed.

Generated code reads such fields in a single ``try``. The line at which it failed tells which field that was; the ones
before it keep their values, the ones after it are read here. Nothing is read twice.
"""

from bisect import bisect_right
from typing import Any

from kameng.graphql.compiled.request import Place, Request
from kameng.graphql.compiled.runtime import FieldPosition, Pending, fail, step


class AttributeRun:
    """The fields of one such ``try``, each with its attribute and the line at which it begins."""

    __slots__ = ("fields", "lines")

    def __init__(self) -> None:
        self.fields: list[tuple[FieldPosition, str]] = []
        self.lines: list[int] = []

    def add(self, field: FieldPosition, attribute: str, line: int) -> None:
        """Add a field; ``line`` counts from the function's first line, which is 0."""
        self.fields.append((field, attribute))
        self.lines.append(line)


def resume(
    error: Exception,
    run: AttributeRun,
    source: Any,
    request: Request,
    parent: Place | None,
    pending: Pending | None,
    values: tuple[Any, ...],
) -> list[Any]:
    """Handle the error and read the rest: the values of all fields of the run, then the pending ones.

    Raises:
        GraphQLError: a field that may not be null failed.
    """
    traceback: Any = error.__traceback__
    failed = bisect_right(run.lines, traceback.tb_lineno - traceback.tb_frame.f_code.co_firstlineno) - 1
    result: list[Any] = list(values[:failed])
    result.append(fail(error, run.fields[failed][0], request, parent, pending))
    for field, attribute in run.fields[failed + 1 :]:
        try:
            value, pending = step(getattr(source, attribute), field, request, parent, pending)
        except Exception as another:
            value = fail(another, field, request, parent, pending)
        result.append(value)
    result.append(pending)
    return result
