"""Completion of values by type: the specification's CompleteValue, one closure for each place of a plan.

These are the careful ways, which take any value. Generated code decides the usual cases by itself and comes here
with the rest. Checks, their order and their messages are graphql-core's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLOutputType,
    Undefined,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.pyutils import is_iterable

from kameng.graphql.compiled.abstract import CompleteValue, abstract_completer, object_completer
from kameng.graphql.compiled.facts import LeafFacts, SchemaFacts
from kameng.graphql.compiled.lists import (
    Build,
    Loop,
    class_loop,
    complete_async_iterable,
    object_loop,
    value_loop,
)
from kameng.graphql.compiled.request import Place, Request
from kameng.graphql.compiled.runtime import Complete, FieldPosition, Position


@dataclass(slots=True)
class Completer:
    """How the values of one place are completed.

    Attributes:
        complete: takes any value.
        loop: for a list, the loop over its items; for what iterates without doubt.
        builds: for a composite type, what executes an object, by class.
        guarded: whether a value of a known class may still be marked by ``strawberry.cast``.
    """

    complete: Complete
    loop: Loop | None = None
    builds: dict[type, Build] = field(default_factory=dict)
    guarded: bool = False


class Completers:
    """Makes the completers of one field.

    Args:
        field: the field.
        facts: facts about the schema's types.
        compile_object: gives what executes an object type at this place, by the type's name.
    """

    def __init__(
        self, field: FieldPosition, facts: SchemaFacts, compile_object: Callable[[str], Build]
    ) -> None:
        self._field = field
        self._facts = facts
        self._compile_object = compile_object

    def make(self, type_: GraphQLOutputType) -> Completer:
        """The completer of a type, non-null or not."""
        required = is_non_null_type(type_)
        nullable: Any = type_.of_type if is_non_null_type(type_) else type_
        completer: Completer
        if is_list_type(nullable):
            completer = self._list(nullable.of_type)
        elif is_leaf_type(nullable):
            completer = Completer(_leaf(self._facts.leaf(nullable)))
        elif is_abstract_type(nullable):
            completer = Completer(_unset, guarded=True)
            completer.complete = abstract_completer(
                self._field, nullable, self._facts, self._compile_object, completer.builds
            )
        elif is_object_type(nullable):
            facts = self._facts.object(nullable)
            build = self._compile_object(nullable.name)
            completer = Completer(_unset, builds=dict.fromkeys(facts.known, build), guarded=facts.guarded)
            completer.complete = object_completer(self._field, facts, build, completer.builds)
        else:
            raise TypeError(f"Cannot complete value of unexpected output type: '{nullable}'.")
        completer.complete = self._nullable(completer.complete, required)
        return completer

    def _nullable(self, complete_value: CompleteValue, required: bool) -> Complete:
        field = self._field

        def complete(value: Any, request: Request, place: Place) -> Any:
            if isinstance(value, Exception):
                raise value
            if value is None or value is Undefined:
                if required:
                    raise TypeError(f"Cannot return null for non-nullable field {field.parent}.{field.name}.")
                return None
            return complete_value(value, request, place)

        return complete

    def _list(self, item_type: GraphQLOutputType) -> Completer:
        field = self._field
        item = Position(field.nodes, is_non_null_type(item_type))
        inner = self.make(item_type)
        item.complete = inner.complete
        loop = self._loop(item, item_type, inner)

        def complete(values: Any, request: Request, place: Place) -> Any:
            if hasattr(values, "__aiter__"):
                return complete_async_iterable(values, field, item, request, place)
            if not is_iterable(values):
                raise GraphQLError(
                    f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'."
                )
            return loop(values, request, place)

        return Completer(complete, loop)

    def _loop(self, item: Position, item_type: GraphQLOutputType, inner: Completer) -> Loop:
        named: Any = item_type.of_type if is_non_null_type(item_type) else item_type
        if is_list_type(named):
            return value_loop(item)
        if is_leaf_type(named):
            class_ = _classes.get(self._facts.leaf(named).exact or "")
            return value_loop(item) if class_ is None else class_loop(item, class_)
        return object_loop(item, inner.builds, inner.guarded)


_classes = {"type({v}) is str": str, "type({v}) is bool": bool}


def _leaf(facts: LeafFacts) -> CompleteValue:
    def complete(value: Any, _request: Request, _place: Place) -> Any:
        return facts.complete(value)

    return complete


def _unset(_value: Any, _request: Request, _place: Place) -> Any:
    raise AssertionError("a completer is used before it is made")
