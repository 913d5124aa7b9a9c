"""A Hypothesis strategy of valid documents for any schema.

    @given(documents(schema))
    def test_that_holds_for_every_document(generated): ...

Documents use what the language has: aliases, merged fields, named and inline fragments on object types, interfaces
and unions, ``@skip`` and ``@include``, literals, variables with and without defaults, several operations. One
response key means the same field with the same arguments throughout a document, so fields always merge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    OperationType,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
)

from kameng.testing.arguments import GeneratedArguments
from kameng.testing.inputs import chance

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

Allowed = Callable[[str, str], bool]
"""Whether a field may be used, by the names of its type and itself."""


@dataclass(frozen=True)
class GeneratedDocument:
    """A document with one set of variables.

    Attributes:
        source: the text.
        operation_name: the operation to execute; ``None`` if it is the only one.
        variables: values for its variables.
    """

    source: str
    operation_name: str | None
    variables: dict[str, Any]


def documents(
    schema: GraphQLSchema,
    *,
    kinds: tuple[str, ...] = ("query", "mutation"),
    max_depth: int = 5,
    max_fields: int = 40,
    scalars: "Mapping[str, SearchStrategy[Any]] | None" = None,
    known: "Mapping[str, SearchStrategy[Any]] | None" = None,
    allowed: Allowed = lambda _type, _field: True,
    wrong_variables: bool = False,
) -> "SearchStrategy[GeneratedDocument]":
    """Documents that are valid for a schema.

    Args:
        schema: any schema.
        kinds: the kinds of operations, of which those that the schema has are used.
        max_depth: how deeply fields nest.
        max_fields: about how many fields one document has.
        scalars: for custom scalars by name, strategies of their values as JSON; by default some usual forms are
            tried and those that the scalar accepts are used.
        known: strategies of values that mean something, as JSON, by the argument or input field that takes them:
            ``first``, or more precisely ``Query.product.slug`` or ``OrderLineInput.quantity``. For leaves and lists of them.
        allowed: which fields may be used.
        wrong_variables: whether a variable may now and then be given a value of another type, or none.
    """
    from hypothesis import strategies as st

    @st.composite
    def generate(draw: "DrawFn") -> GeneratedDocument:
        random = draw(st.randoms(use_true_random=False))
        makers = {name: _maker(draw, strategy) for name, strategy in (scalars or {}).items()}
        meaningful = {name: _maker(draw, strategy) for name, strategy in (known or {}).items()}
        inputs = GeneratedArguments(random, makers, wrong_variables, meaningful)
        return _Writer(schema, random, inputs, max_depth, max_fields, allowed).write(kinds)

    return generate()


def random_document(
    schema: GraphQLSchema,
    random: Random,
    *,
    kinds: tuple[str, ...] = ("query", "mutation"),
    max_depth: int = 5,
    max_fields: int = 40,
) -> GeneratedDocument:
    """A document as `documents` makes them, by a random number generator alone: for benchmarks."""
    inputs = GeneratedArguments(random, {}, wrong=False)
    return _Writer(schema, random, inputs, max_depth, max_fields, lambda _type, _field: True).write(kinds)


def _maker(draw: "DrawFn", strategy: "SearchStrategy[Any]") -> Callable[[], Any]:
    return lambda: draw(strategy)


class _Writer:
    def __init__(
        self,
        schema: GraphQLSchema,
        random: Random,
        inputs: GeneratedArguments,
        max_depth: int,
        max_fields: int,
        allowed: Allowed,
    ) -> None:
        self._schema = schema
        self._random = random
        self._inputs = inputs
        self._max_depth = max_depth
        self._room = max_fields
        self._allowed = allowed
        self._meanings: dict[str, str] = {}
        self._fragments: dict[str, tuple[GraphQLNamedType, str]] = {}

    def write(self, kinds: tuple[str, ...]) -> GeneratedDocument:
        random = self._random
        kind = random.choice(
            [kind for kind in kinds if self._schema.get_root_type(OperationType(kind)) is not None]
        )
        root: Any = self._schema.get_root_type(OperationType(kind))
        if kind == "subscription":
            selection = "{ " + self._field(root, self._fields(root)[0], 1, conditions=False) + " }"
        else:
            selection = self._selection(root, 1)
        definitions = self._inputs.definitions()
        several = self._chance(0.1)
        name = "Main" if several or definitions or self._chance(0.5) else ""
        head = f"{kind} {name}{f'({definitions})' if definitions else ''} " if name or kind != "query" else ""
        parts = [head + selection]
        parts += [f"fragment {name} on {type_} {body}" for name, (type_, body) in self._fragments.items()]
        if several:
            parts.append("query Other { __typename }")
        random.shuffle(parts)
        separator = random.choice(("\n", "\n\n# a comment\n", " "))
        return GeneratedDocument(separator.join(parts), "Main" if several else None, self._inputs.variables)

    def _chance(self, probability: float) -> bool:
        return chance(self._random, probability)

    def _fields(self, type_: Any) -> list[str]:
        return [name for name in getattr(type_, "fields", {}) if self._allowed(type_.name, name)]

    def _selection(self, type_: Any, depth: int) -> str:
        random = self._random
        names = self._fields(type_)
        leaves = [name for name in names if is_leaf_type(get_named_type(type_.fields[name].type))]
        items: list[str] = []
        for _ in range(random.randint(1, 5)):
            kind = random.randint(0, 99)
            if self._room <= 0 and items:
                break
            if kind >= 88 and depth < self._max_depth:
                items.append(self._inline(type_, depth))
            elif kind >= 78 and depth < self._max_depth:
                items.append(self._spread(type_, depth))
            elif kind >= 72 or not names:
                items.append(self._plain("__typename", "String!", ""))
            elif depth >= self._max_depth or self._room <= 0:
                items.append(self._field(type_, random.choice(leaves), depth) if leaves else "__typename")
            else:
                items.append(self._field(type_, random.choice(names), depth))
        return "{ " + " ".join(items) + " }"

    def _field(self, type_: Any, name: str, depth: int, *, conditions: bool = True) -> str:
        self._room -= 1
        field: GraphQLField = type_.fields[name]
        arguments = self._inputs.arguments(field, f"{type_.name}.{name}")
        head = self._plain(name, str(field.type), arguments) + (
            self._inputs.conditions() if conditions else ""
        )
        named = get_named_type(field.type)
        return f"{head} {self._selection(named, depth + 1)}" if is_composite_type(named) else head

    def _plain(self, name: str, type_: str, arguments: str) -> str:
        meaning = f"{name}{arguments}: {type_}"
        key = name if self._chance(0.8) else self._random.choice(("a", "b", "id", "key", f"{name}2"))
        number = 0
        wanted = key
        while self._meanings.setdefault(key, meaning) != meaning:
            number += 1
            key = f"{wanted}_{number}"
        return f"{name}{arguments}" if key == name else f"{key}: {name}{arguments}"

    def _inline(self, type_: Any, depth: int) -> str:
        if self._chance(0.25):
            return f"...{self._inputs.conditions()} {self._selection(type_, depth + 1)}"
        condition = self._random.choice(self._overlapping(type_))
        return f"... on {condition}{self._inputs.conditions()} {self._selection(condition, depth + 1)}"

    def _spread(self, type_: Any, depth: int) -> str:
        overlapping = self._overlapping(type_)
        known = [name for name, (condition, _) in self._fragments.items() if condition in overlapping]
        if known and self._chance(0.6):
            return f"...{self._random.choice(known)}{self._inputs.conditions()}"
        condition = self._random.choice(overlapping)
        body = self._selection(condition, depth + 1)
        name = f"F{len(self._fragments)}"
        self._fragments[name] = (condition, body)
        return f"...{name}{self._inputs.conditions()}"

    def _overlapping(self, type_: Any) -> list[Any]:
        own = self._object_names(type_)
        return [
            other
            for other in self._schema.type_map.values()
            if is_composite_type(other)
            and not other.name.startswith("__")
            and own & self._object_names(other)
        ]

    def _object_names(self, type_: Any) -> set[str]:
        if is_abstract_type(type_):
            return {possible.name for possible in self._schema.get_possible_types(type_)}
        return {type_.name}
