"""Arguments, variables and conditions of generated documents."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputType,
    GraphQLNonNull,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)

from kameng.testing.inputs import InputValues, chance, literal

_nothing = object()


class GeneratedArguments:
    """Writes the arguments and conditions of fields, and keeps the variables that they use.

    Args:
        random: where choices come from.
        scalars: for a custom scalar, by name, what makes a value of it.
        wrong: whether a variable may now and then be given a value of another type, or none.
        known: for an argument or input field, what makes a value that means something to it; see `documents`.
    """

    def __init__(
        self,
        random: Random,
        scalars: Mapping[str, Callable[[], Any]],
        wrong: bool,
        known: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._random = random
        self._values = InputValues(random, scalars, known)
        self._wrong = wrong
        self._definitions: dict[str, tuple[str, str]] = {}  # variable name: type, whole definition
        self.variables: dict[str, Any] = {}

    def definitions(self) -> str:
        """The definitions of the variables that were used."""
        return ", ".join(definition for _, definition in self._definitions.values())

    def _chance(self, probability: float) -> bool:
        return chance(self._random, probability)

    def arguments(self, field: GraphQLField, place: str) -> str:
        """The arguments of one use of a field, with their parentheses; empty if there are none.

        Args:
            field: the field.
            place: its type and name, such as ``Query.product``.
        """
        given = [
            f"{name}: {self._input(argument.type, not is_required_argument(argument), f'{place}.{name}')}"
            for name, argument in field.args.items()
            if is_required_argument(argument) or self._chance(0.6)
        ]
        return f"({', '.join(given)})" if given else ""

    def _input(self, type_: GraphQLInputType, optional: bool, place: str, depth: int = 0) -> str:
        if self._chance(0.35):
            return self._variable(type_, optional, place)
        nullable: Any = type_.of_type if is_non_null_type(type_) else type_
        if depth < 2 and is_list_type(nullable) and self._chance(0.5):
            items = [
                self._input(nullable.of_type, False, place, depth + 1)
                for _ in range(self._random.randint(0, 2))
            ]
            return f"[{', '.join(items)}]"
        if depth < 2 and is_input_object_type(nullable) and self._chance(0.5):
            definition = nullable.extensions.get("strawberry-definition")
            if not nullable.is_one_of and not getattr(definition, "is_one_of", False):
                value = self._values.object(nullable, depth)
                fields = [
                    f"{name}: "
                    + self._input(nullable.fields[name].type, False, f"{nullable.name}.{name}", depth + 1)
                    for name in value
                ]
                return "{" + ", ".join(fields) + "}"
        return literal(self._values.value(type_, 0, place), type_)

    def _variable(self, type_: GraphQLInputType, optional: bool, place: str) -> str:
        random = self._random
        declared = str(type_)
        if not is_non_null_type(type_) and self._chance(0.3) and self._values.makes(type_):
            declared += "!"
        for name, (known, _) in self._definitions.items():
            if known == declared and self._chance(0.5):
                return f"${name}"
        name = f"v{len(self._definitions)}"
        default: Any = _nothing
        if self._chance(0.3):
            default = self._values.value(type_, 0, place)
            if default is None and declared.endswith("!"):
                default = _nothing
        definition = f"${name}: {declared}"
        if default is not _nothing:
            definition += f" = {literal(default, type_)}"
        self._definitions[name] = (declared, definition)
        may_be_missing = default is not _nothing or not declared.endswith("!")
        if self._wrong and self._chance(0.03):
            if self._chance(0.5):
                self.variables[name] = random.choice(("wrong", -1.5, [None], {"no": "such"}, None, True))
        elif not may_be_missing or self._chance(0.7):
            value = self._values.value(type_, 0, place)
            if value is not None or not declared.endswith("!"):
                self.variables[name] = value
            elif not may_be_missing:
                self.variables[name] = self._some(type_, place)
        return f"${name}"

    def _some(self, type_: Any, place: str) -> Any:
        required: Any = type_ if is_non_null_type(type_) else GraphQLNonNull(type_)
        return self._values.value(required, 0, place)

    def conditions(self) -> str:
        """``@skip`` or ``@include`` or, mostly, nothing."""
        random = self._random
        if not self._chance(0.12):
            return ""
        text = ""
        for directive in random.choice((("skip",), ("include",), ("skip", "include"))):
            text += f" @{directive}(if: {self._condition()})"
        return text

    def _condition(self) -> str:
        random = self._random
        if self._chance(0.4):
            return random.choice(("true", "false"))
        names = [name for name in self._definitions if name.startswith("if")]
        if len(names) >= 3:
            return f"${random.choice(names)}"
        name = f"if{len(names)}"
        default = random.choice(("", "", " = true", " = false"))
        declared = "Boolean" if default and self._chance(0.5) else "Boolean!"
        self._definitions[name] = (declared, f"${name}: {declared}{default}")
        if not default or self._chance(0.5):
            self.variables[name] = self._chance(0.5)
        if self._wrong and declared == "Boolean" and self._chance(0.1):
            self.variables[name] = None
        return f"${name}"
