"""How the value of a field is got from its object.

Strawberry wraps every resolver: it makes an ``Info``, converts arguments and runs extensions. Where a field has
none of that to do, generated code reads the attribute or calls the Python function itself. Only functions of
Strawberry that are known to do nothing else are passed over; any other resolver is called as it stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from graphql import GraphQLField, default_field_resolver
from strawberry import Schema
from strawberry.relay import GlobalID
from strawberry.schema.compat import is_scalar
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.base import (
    StrawberryContainer,
    StrawberryMaybe,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

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
    # Strawberry converts arguments inside the coroutine of an asynchronous resolver: what can fail there would
    # fail too early here. And input types that build themselves are given the info.
    if any(_unsuitable(argument.type, is_async, schema) for argument in field.arguments):
        return None
    parameters = (resolver.parent_parameter, resolver.root_parameter)
    source_names = tuple(dict.fromkeys(parameter.name for parameter in parameters if parameter is not None))
    info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None
    if not all(name.isidentifier() for name in (*source_names, info_name or "info")):
        return None
    convert = _converter(list(field.arguments), schema)
    return Call(function, resolver.self_parameter is not None, source_names, info_name, field, convert)


def _converter(
    arguments: list[StrawberryArgument], schema: Schema
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What turns graphql-core's values into those of the Python function, arguments that are leaves as they are."""
    registry, config = schema.schema_converter.scalar_registry, schema.config
    leaves: dict[str, str] = {}
    others: list[StrawberryArgument] = []
    for argument in arguments:
        type_: Any = argument.type
        if isinstance(type_, StrawberryOptional) and not isinstance(type_, StrawberryMaybe):
            type_ = type_.of_type
        leaf = isinstance(type_, StrawberryEnumDefinition) or is_scalar(type_, registry)
        if leaf and type_ is not GlobalID:
            leaves[config.name_converter.from_argument(argument)] = argument.python_name
        else:
            others.append(argument)

    def convert(values: dict[str, Any]) -> dict[str, Any]:
        converted = {leaves[name]: value for name, value in values.items() if name in leaves}
        if others:
            converted |= convert_arguments(values, others, registry, config)
        return converted

    return convert


def _unsuitable(type_: Any, is_async: bool, schema: Schema) -> bool:
    if isinstance(type_, LazyType):
        return _unsuitable(type_.resolve_type(), is_async, schema)
    if type_ is GlobalID:
        return is_async
    if is_scalar(type_, schema.schema_converter.scalar_registry):
        return False
    if isinstance(type_, StrawberryMaybe) and is_async:
        return True
    if isinstance(type_, StrawberryContainer):
        return _unsuitable(type_.of_type, is_async, schema)
    return has_object_definition(type_)
