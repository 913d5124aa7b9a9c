"""From graphql-core's argument values to those of the Python function, as Strawberry's ``convert_arguments`` does it.

What Strawberry asks of a type for every value (is it a list, an input class, which fields has it, what are they called) is asked
once here, when the document is compiled. Types that decide by themselves how they are built are left to Strawberry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from typing import Any

from strawberry import UNSET, Schema
from strawberry.relay import GlobalID
from strawberry.schema.compat import is_scalar
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType

Convert = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the values of all arguments, by their GraphQL names, into keyword arguments."""

_Value = Callable[[Any], Any]


def conversion_of(arguments: list[StrawberryArgument], schema: Schema) -> Convert:
    """How the values of some arguments are converted.

    Args:
        arguments: the arguments of a field.
        schema: the schema.
    """
    conversions = _Conversions(schema)
    name_of = schema.config.name_converter.from_argument
    steps = {
        name_of(argument): (argument.python_name, conversions.of(argument.type)) for argument in arguments
    }

    def convert(values: dict[str, Any]) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for name, value in values.items():
            step = steps.get(name)
            if step is not None:
                python_name, convert_value = step
                converted[python_name] = value if convert_value is None else convert_value(value)
        return converted

    return convert


class _Conversions:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._registry = schema.schema_converter.scalar_registry
        self._classes: dict[Any, _Value] = {}

    def of(self, type_: Any) -> _Value | None:
        """The conversion of a type's values; None where they stay what they are."""
        if isinstance(type_, LazyType):
            return self.of(type_.resolve_type())
        if isinstance(type_, StrawberryMaybe) or type_ is GlobalID:
            return self._by_strawberry(type_)
        if isinstance(type_, StrawberryOptional):
            return self.of(type_.of_type)
        if isinstance(type_, StrawberryList):
            return self._list(type_.of_type)
        if isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
            return None
        if is_scalar(type_, self._registry):
            return None
        if has_object_definition(type_) and type_.__strawberry_definition__.from_input is None:
            return self._class(type_)
        return self._by_strawberry(type_)

    def _by_strawberry(self, type_: Any) -> _Value:
        registry, config = self._registry, self._schema.config
        return lambda value: convert_argument(value, type_, registry, config)

    def _list(self, item_type: Any) -> _Value:
        convert_item = self.of(item_type)

        def convert(values: Any) -> Any:
            if values is None or values is UNSET:
                return values
            # Always a list of its own: a default is the same object at every request.
            return list(values) if convert_item is None else [convert_item(value) for value in values]

        return convert

    def _class(self, class_: Any) -> _Value:
        known = self._classes.get(class_)
        if known is not None:
            return known
        steps: list[tuple[str, str, _Value | None]] = []
        absent: dict[str, None] = {}

        def convert(values: Any) -> Any:
            if values is None or values is UNSET:
                return values
            given: dict[str, Any] = absent.copy()
            for name, python_name, convert_value in steps:
                if name in values:
                    value = values[name]
                    given[python_name] = value if convert_value is None else convert_value(value)
            return class_(**given)

        self._classes[class_] = convert  # before its fields, which may be of the same class
        definition = class_.__strawberry_definition__
        for field in definition.fields:
            name = self._schema.config.name_converter.from_field(field)
            steps.append((name, field.python_name, self.of(field.resolve_type(type_definition=definition))))
            if definition.is_input and field.default_value is MISSING and field.default_factory is MISSING:
                absent[field.python_name] = None
        return convert
