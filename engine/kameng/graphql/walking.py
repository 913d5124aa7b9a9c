"""Walking over Strawberry's definitions: which GraphQL types a class leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryContainer, StrawberryObjectDefinition, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion

from kameng.graphql.foreign import ForeignType

_NAMES = NameConverter()
_KEPT = "_kameng_kept_annotations"


def definition_of(cls: type) -> StrawberryObjectDefinition:
    """A class's Strawberry definition; a plain class of fields becomes a Strawberry type first."""
    import strawberry

    if "__strawberry_definition__" not in vars(cls):
        strawberry.type(cls)
    definition: StrawberryObjectDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]  # set by Strawberry
    return definition


def field_name(field: StrawberryField) -> str:
    """The field's name in GraphQL."""
    return _NAMES.get_graphql_name(field)


def _unwrapped(annotation: Any) -> Iterator[Any]:
    while isinstance(annotation, StrawberryContainer):
        annotation = annotation.of_type
    if isinstance(annotation, StrawberryUnion):
        for option in annotation.types:
            yield from _unwrapped(option)
    elif isinstance(annotation, LazyType) and not isinstance(annotation, ForeignType):
        yield annotation.resolve_type()
    else:
        yield annotation


def types_below(roots: Iterable[type]) -> dict[str, list[type]]:
    """All named types that the classes lead to, by GraphQL name; more than one class under a name is a clash.

    The classes themselves are not among them, since roots and extensions have no name of their own.
    """
    found: dict[str, list[type]] = {}
    todo: list[Any] = [annotation for root in roots for annotation in _annotations(definition_of(root))]
    while todo:
        annotation = todo.pop()
        if isinstance(annotation, StrawberryEnumDefinition):
            _note(found, annotation.name, annotation.wrapped_cls)
            continue
        definition = getattr(annotation, "__strawberry_definition__", None)
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        origin = definition.origin
        if _note(found, _NAMES.from_type(definition), origin):
            todo += _annotations(definition)
            todo += [item.origin for item in definition.interfaces]
    return found


def foreign_types(roots: Iterable[type], below: Mapping[str, list[type]]) -> set[tuple[str, str]]:
    """Names of other modules' types that the classes lead to, each with the module expected to bring it."""
    definitions = [definition_of(root) for root in roots]
    definitions += [
        definition_of(cls) for classes in below.values() for cls in classes if has_object_definition(cls)
    ]
    return {
        (annotation.type_name, annotation.module)
        for definition in definitions
        for annotation in _annotations(definition)
        if isinstance(annotation, ForeignType)
    }


def _note(found: dict[str, list[type]], name: str, cls: type) -> bool:
    known = found.setdefault(name, [])
    # A generic type is specialised anew at each use; its copies share a module and a name.
    if any(
        other is cls or (other.__module__, other.__qualname__) == (cls.__module__, cls.__qualname__)
        for other in known
    ):
        return False
    known.append(cls)
    return True


def _annotations(definition: StrawberryObjectDefinition) -> list[Any]:
    # Both the checks and the composition walk over all types.
    kept: tuple[int, list[Any]] | None = vars(definition).get(_KEPT)
    if kept is None or kept[0] != len(definition.fields):
        kept = vars(definition)[_KEPT] = (len(definition.fields), _read_annotations(definition))
    return kept[1]


def _read_annotations(definition: StrawberryObjectDefinition) -> list[Any]:
    return [
        option
        for field in definition.fields
        for annotation in (
            field.resolve_type(type_definition=definition),
            *(item.type for item in field.arguments),
        )
        for option in _unwrapped(annotation)
    ]
