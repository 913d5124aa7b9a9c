"""How the value of a field is got from its object.

Strawberry wraps every resolver: it makes an ``Info``, converts arguments and runs extensions. Where a field has
none of that to do, generated code reads the attribute or calls the Python function itself. Only functions of
Strawberry that are known to do nothing else are passed over; any other resolver is called as it stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from keyword import iskeyword
from typing import Any

from graphql import GraphQLField, default_field_resolver
from strawberry import Schema
from strawberry.relay import GlobalID
from strawberry.schema.compat import is_scalar
from strawberry.types.base import (
    StrawberryContainer,
    StrawberryMaybe,
    has_object_definition,
)
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

from kameng.graphql.compiled.conversion import conversion_of

_module = "strawberry.schema.schema_converter"
_attribute_resolver = "GraphQLCoreConverter.from_resolver.<locals>._get_basic_result"
_sync_resolver = "GraphQLCoreConverter.from_resolver.<locals>._resolver"
_async_resolver = "GraphQLCoreConverter.from_resolver.<locals>._async_resolver"


@dataclass(frozen=True, slots=True)
class Attribute:
    """Read an attribute of the object."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """Call a Strawberry field's own function.

    Attributes:
        function: the function.
        takes_self: whether the object is its first argument.
        source_names: keyword parameters that take the object (``root``, a ``Parent``).
        info_name: the keyword parameter that takes the ``Info``, if any.
        field: the Strawberry field.
        convert: turns graphql-core's arguments into the function's.
    """

    function: Callable[..., Any]
    takes_self: bool
    source_names: tuple[str, ...]
    info_name: str | None
    field: StrawberryField
    convert: Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Resolve:
    """Call the schema's resolver with the object, a resolve info and keyword arguments."""

    function: Callable[..., Any]


Access = Attribute | Call | Resolve


def access_to(definition: GraphQLField, schema: Schema | None) -> Access:
    """How the value of a field is got.

    Args:
        definition: the field in the schema.
        schema: the Strawberry schema, if there is one.
    """
    resolve = definition.resolve
    if resolve is None:
        return Resolve(default_field_resolver)
    if schema is None or getattr(resolve, "__module__", None) != _module:
        return Resolve(resolve)
    field = definition.extensions.get("strawberry-definition")
    if not isinstance(field, StrawberryField) or type(field).get_result is not StrawberryField.get_result:
        return Resolve(resolve)
    name = resolve.__qualname__
    if name == _attribute_resolver:
        python_name = field.python_name
        if field.default_resolver is getattr and python_name.isidentifier() and not iskeyword(python_name):
            return Attribute(python_name)
    elif name in {_sync_resolver, _async_resolver}:
        call = _direct_call(field, schema, name == _async_resolver)
        if call is not None:
            return call
    return Resolve(resolve)


def _direct_call(field: StrawberryField, schema: Schema, is_async: bool) -> Call | None:
    resolver = field.base_resolver
    converter = schema.schema_converter
    if resolver is None or field.extensions or converter.exception_handlers:
        return None
    function = resolver.wrapped_func
    if not callable(function):
        return None
    ways = {_way(argument.type, schema) for argument in field.arguments}
    if _Way.UNKNOWN in ways:
        return None
    parameters = (resolver.parent_parameter, resolver.root_parameter)
    source_names = tuple(dict.fromkeys(parameter.name for parameter in parameters if parameter is not None))
    info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None
    given = {*source_names, info_name or "info"}
    if not all(name.isidentifier() for name in given):
        return None
    convert = conversion_of(list(field.arguments), schema)
    if is_async and _Way.MAY_FAIL in ways:
        # Strawberry converts inside the coroutine: what fails there must not fail earlier here.
        if not given.isdisjoint(schema.config.name_converter.from_argument(a) for a in field.arguments):
            return None
        function, convert = _converting_late(function, frozenset(given), convert), dict
    return Call(function, resolver.self_parameter is not None, source_names, info_name, field, convert)


def _converting_late(
    function: Callable[..., Any], given: frozenset[str], convert: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[..., Any]:
    async def converting(*source: Any, **values: Any) -> Any:
        arguments = {name: value for name, value in values.items() if name not in given}
        kept = {name: value for name, value in values.items() if name in given}
        return await function(*source, **{**convert(arguments), **kept})

    return converting


class _Way(Enum):
    """How a type's values become those of Python."""

    SAFE = "nothing can fail"
    MAY_FAIL = "converting may raise an error"
    UNKNOWN = "an input type builds itself, and is given the info"


def _way(type_: Any, schema: Schema, above: tuple[type, ...] = ()) -> _Way:
    if isinstance(type_, LazyType):
        return _way(type_.resolve_type(), schema, above)
    if type_ is GlobalID:
        return _Way.MAY_FAIL
    if is_scalar(type_, schema.schema_converter.scalar_registry):
        return _Way.SAFE
    if isinstance(type_, StrawberryContainer):
        within = _way(type_.of_type, schema, above)
        maybe = isinstance(type_, StrawberryMaybe)
        return _Way.MAY_FAIL if maybe and within is _Way.SAFE else within
    if not has_object_definition(type_):
        return _Way.SAFE
    definition = type_.__strawberry_definition__
    if definition.from_input is not None:
        return _Way.UNKNOWN
    if type_ in above:
        return _Way.MAY_FAIL
    within_fields = [
        _way(field.resolve_type(type_definition=definition), schema, (*above, type_))
        for field in definition.fields
    ]
    return _Way.UNKNOWN if _Way.UNKNOWN in within_fields else _Way.MAY_FAIL
