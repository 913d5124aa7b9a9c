"""Values for input types: as GraphQL literals and as JSON for variables."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLScalarType,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    is_scalar_type,
    is_specified_scalar_type,
)

# What custom scalars usually take; those that a scalar refuses are left out.
CANDIDATES: tuple[Any, ...] = (
    "abc",
    "",
    "2024-02-29",
    "2024-02-29T23:59:59+08:00",
    "12:34:56",
    "6f1d1c2e-6f0a-4a43-9b0e-0f6b6c1f7a11",
    "10.50",
    "0",
    0,
    7,
    1.5,
    True,
)

_strings = ("", "a", "中文", 'quote " and \\ and \n', "null", "$notAVariable", "{ }", "#", "\u2028", "🙂")
_whole = (0, 1, -1, 20, 2_147_483_647, -2_147_483_648)
_floats = (0.0, -1.5, 3, 1e10, 2.5e-3)


def chance(random: Random, probability: float) -> bool:
    """Whether something of a certain probability happens.

    By a whole number: Hypothesis draws these evenly, while its floats prefer special values, and shrinks them to
    0, which here means that it does not happen.
    """
    return random.randint(0, 999) >= 1000 - probability * 1000


class InputValues:
    """Makes JSON values of input types.

    Args:
        random: where choices come from.
        scalars: for a custom scalar, by name, what makes a value of it.
        known: for an argument or input field, what makes a value that means something to it; see `documents`.
    """

    def __init__(
        self,
        random: Random,
        scalars: Mapping[str, Callable[[], Any]],
        known: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._random = random
        self._scalars = scalars
        self._known = known or {}
        self._known_fitting: dict[str, tuple[Any, ...]] = {}

    def value(self, type_: GraphQLInputType, depth: int = 0, place: str = "") -> Any:
        """A valid value as JSON.

        Args:
            type_: the input type.
            depth: in how many input objects and lists it stands.
            place: the argument or input field that takes it, such as ``Query.product.slug``.
        """
        random = self._random
        make = self._known.get(place) or self._known.get(place.rpartition(".")[2])
        if make is not None and is_leaf_type(get_named_type(type_)):
            return self._made(make, type_)
        if is_non_null_type(type_):
            nullable: Any = type_.of_type
        else:
            if self._chance(0.15) or not self.makes(type_):
                return None
            nullable = type_
        if is_list_type(nullable):
            if self._chance(0.1) and not is_list_type(nullable.of_type):
                item = self.value(nullable.of_type, depth + 1, place)
                if item is not None and not isinstance(item, list):
                    return item  # a single item stands for a list of one
            return [self.value(nullable.of_type, depth + 1, place) for _ in range(random.randint(0, 2))]
        if is_input_object_type(nullable):
            return self.object(nullable, depth)
        if is_enum_type(nullable):
            return random.choice(list(nullable.values))
        return self._scalar(nullable)

    def makes(self, type_: GraphQLInputType) -> bool:
        """Whether there are values of this type but null; there are none of a scalar for files, for instance."""
        named: Any = get_named_type(type_)
        if not is_scalar_type(named) or is_specified_scalar_type(named) or named.name in self._scalars:
            return True
        return bool(self._fitting(named))

    def object(self, type_: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        """A valid value of an input object; optional fields come and go."""
        random = self._random
        if type_.is_one_of or getattr(type_.extensions.get("strawberry-definition"), "is_one_of", False):
            name = random.choice(list(type_.fields))
            value = None
            for _ in range(20):
                value = self.value(type_.fields[name].type, depth + 1, f"{type_.name}.{name}")
                if value is not None:
                    break
            return {name: value}
        fields: dict[str, Any] = {}
        for name, field in type_.fields.items():
            if is_required_input_field(field) or (depth < 3 and self._chance(0.6)):
                fields[name] = self.value(field.type, depth + 1, f"{type_.name}.{name}")
        return fields

    def _made(self, make: Callable[[], Any], type_: Any) -> Any:
        """A known value, in as many lists as the type has."""
        required = is_non_null_type(type_)
        nullable = type_.of_type if required else type_
        if is_list_type(nullable):
            return [self._made(make, nullable.of_type) for _ in range(self._random.randint(0, 3))]
        for _ in range(5):
            value = make()
            if value is not None or not required:
                return value
        return self.value(type_)

    def _chance(self, probability: float) -> bool:
        return chance(self._random, probability)

    def _scalar(self, type_: Any) -> Any:
        random = self._random
        make = self._scalars.get(type_.name)
        if make is not None:
            return make()
        if type_.name == "Int":
            return random.choice(_whole)
        if type_.name == "Float":
            return random.choice(_floats)
        if type_.name == "Boolean":
            return self._chance(0.5)
        if type_.name == "String":
            return random.choice(_strings)
        if type_.name == "ID":
            return random.choice(("1", "a", 42))
        fitting = self._fitting(type_)
        if not fitting:
            raise LookupError(
                f"No value of scalar '{type_.name}' is known; say how to make one in `scalars`."
            )
        return random.choice(fitting)

    def _fitting(self, type_: GraphQLScalarType) -> tuple[Any, ...]:
        fitting = self._known_fitting.get(type_.name)
        if fitting is None:
            fitting = tuple(candidate for candidate in CANDIDATES if _accepts(type_, candidate))
            self._known_fitting[type_.name] = fitting
        return fitting


def _accepts(type_: Any, value: Any) -> bool:
    try:
        type_.coerce_input_value(value)
    except Exception:
        return False
    return True


def literal(value: Any, type_: GraphQLInputType) -> str:
    """A JSON value as a GraphQL literal of its type."""
    named: Any = type_.of_type if is_non_null_type(type_) else type_
    if value is None:
        return "null"
    if is_list_type(named):
        if isinstance(value, list):
            return "[" + ", ".join(literal(item, named.of_type) for item in value) + "]"
        return literal(value, named.of_type)
    if isinstance(named, GraphQLEnumType):
        return str(value)
    if isinstance(named, GraphQLInputObjectType):
        fields = [f"{name}: {literal(item, named.fields[name].type)}" for name, item in value.items()]
        return "{" + ", ".join(fields) + "}"
    return _json_literal(value)


def _json_literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_json_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json_literal, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
