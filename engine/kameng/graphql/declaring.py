"""Declaring GraphQL types at start-up without work that is thrown away.

Strawberry makes each type a dataclass and evaluates each annotation. Of hundreds of types, most are never constructed by the
process that declares them, yet the dataclass's methods are compiled for all; an annotation such as ``str`` is parsed, written
out again and compiled thrice each time it is met; and what a field's type is, is worked out each of the dozen times that it is
asked. Here a constructor is compiled when its type is constructed for the first time, an annotation once for all places that
have the same text, and a field keeps its type. Types, fields and errors are those of Strawberry: what these don't know is left
to it. ``process/composing`` of the benchmarks watches what this is worth.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from functools import cache
from types import CodeType, SimpleNamespace
from typing import Annotated, Any, ForwardRef, get_args, get_origin

from graphql.type import assert_name, definition
from strawberry.annotation import StrawberryAnnotation
from strawberry.types import object_type
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import UNRESOLVED, StrawberryField

_CODE: dict[str, CodeType] = {}
_evaluate = StrawberryAnnotation.evaluate
_resolve = StrawberryField.resolve_type
_annotated_fields = object_type._process_annotated_fields
_KEPT = "_kameng_kept_type"
_fields: Callable[[Any], tuple[dataclasses.Field[Any], ...]] = dataclasses.fields
_field: Callable[..., Any] = dataclasses.field


def install() -> None:
    """Let Strawberry use these. Types that were declared before keep what they have."""
    lean = SimpleNamespace(**{**vars(dataclasses), "dataclass": dataclass})
    object_type.dataclasses = lean  # type: ignore[attr-defined,assignment]  # the module as Strawberry sees it there
    object_type._process_annotated_fields = annotated_fields
    StrawberryAnnotation.evaluate = evaluate  # type: ignore[method-assign,assignment]  # its name for `self` differs
    # A name such as `id` is spelled out character by character for each of the hundreds of types that have it.
    vars(definition)["assert_name"] = cache(assert_name)
    StrawberryField.resolve_type = resolve_type  # type: ignore[method-assign,assignment]  # likewise


def dataclass(*, kw_only: bool = True) -> Callable[[type], type]:
    """`dataclasses.dataclass`, whose constructor is compiled when it is first called.

    Args:
        kw_only: as there.
    """

    def wrap(cls: type) -> type:
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)
        if "__init__" not in vars(made):
            made.__init__ = _first_call(made)
        if "__repr__" not in vars(made):
            made.__repr__ = _shown
        if "__eq__" not in vars(made):
            made.__eq__ = _equal
            if "__hash__" not in vars(made):
                made.__hash__ = None  # as a dataclass that compares by value
        return made  # type: ignore[no-any-return]

    return wrap


def _first_call(cls: type) -> Callable[..., None]:
    def first_call(self: Any, /, **values: Any) -> None:
        made: Any = cls
        made.__init__ = _constructor(cls)
        made.__init__(self, **values)

    return first_call


def _constructor(cls: type) -> Callable[..., None]:
    """What `dataclasses` compiles for a class with these fields."""
    fields = [
        (
            each.name,
            object,
            _field(default=each.default, default_factory=each.default_factory, init=each.init),
        )
        for each in _fields(cls)
    ]
    # That there is a __post_init__ is compiled in; the object's own is called.
    after = {"__post_init__": _shown} if hasattr(cls, "__post_init__") else {}
    like = dataclasses.make_dataclass(
        cls.__name__, fields, kw_only=True, repr=False, eq=False, namespace=after
    )
    constructor: Callable[..., None] = vars(like)["__init__"]
    return constructor


def _shown(self: Any) -> str:
    values = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in _fields(self) if each.repr)
    return f"{type(self).__qualname__}({values})"


def _equal(self: Any, other: object) -> bool:
    if type(other) is not type(self):
        return NotImplemented  # type: ignore[no-any-return]  # what Python wants of a comparison
    return all(
        getattr(self, each.name) == getattr(other, each.name) for each in _fields(self) if each.compare
    )


def evaluate(annotation: StrawberryAnnotation) -> Any:
    """What an annotation means in its namespace; whatever is not plain is evaluated by Strawberry.

    Raises:
        NameError: the namespace has no such name yet.
    """
    text = annotation.raw_annotation
    if not isinstance(text, str):
        return text if type(text) is type else _evaluate(annotation)
    try:
        # An annotation of the source, evaluated as typing does it.
        meant = eval(_compiled(text), {} if annotation.namespace is None else annotation.namespace)  # noqa: S307
    except SyntaxError:
        return _evaluate(annotation)
    except NameError:
        if "Annotated" not in text:  # Strawberry looks names up elsewhere only where it is told so
            raise
        return _evaluate(annotation)
    except TypeError:
        return _evaluate(annotation)  # as in `"Later" | None`, which it can read
    if meant is None:
        return type(None)
    return meant if _plain(meant) else _evaluate(annotation)


def _compiled(text: str) -> CodeType:
    code = _CODE.get(text)
    if code is None:
        code = _CODE[text] = compile(text, "<annotation>", "eval")
    return code


def annotated_fields(cls: type) -> dict[str, StrawberryAnnotation]:
    """Fields that are declared within ``Annotated``; classes whose annotations are all plain have none."""
    names, own = vars(sys.modules[cls.__module__]), vars(cls)
    for text in own.get("__annotations__", {}).values():
        try:
            meant = eval(_compiled(text), names, dict(own)) if isinstance(text, str) else text  # noqa: S307
        except Exception:  # Strawberry tells what is wrong with it, and when
            return _annotated_fields(cls)
        if not _plain(meant):
            return _annotated_fields(cls)
    return {}


def resolve_type(field: StrawberryField, *, type_definition: StrawberryObjectDefinition | None = None) -> Any:
    """What a field's type is, within the type that asks, if that is generic; worked out once."""
    annotation = field.type_annotation
    if annotation is None:
        return _resolve(field, type_definition=type_definition)
    raw = annotation.raw_annotation
    kept = vars(field).get(_KEPT)
    if kept is None or kept[:3] != (id(annotation), id(raw), id(field.origin)):
        meant = _resolve(field)
        if meant is UNRESOLVED:
            return meant
        # What is named is kept with it, so that no other object gets its number.
        kept = vars(field)[_KEPT] = (
            id(annotation),
            id(raw),
            id(field.origin),
            meant,
            annotation,
            raw,
            field.origin,
        )
    meant = kept[3]
    if type_definition is not None and StrawberryAnnotation._is_type_generic(meant):
        return _resolve(field, type_definition=type_definition)
    return meant


def _plain(meant: Any) -> bool:
    """Whether nothing in it has to be looked up any more."""
    if isinstance(meant, str | ForwardRef) or get_origin(meant) is Annotated:
        return False
    return all(_plain(inner) for inner in get_args(meant))


install()
