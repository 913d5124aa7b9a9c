"""A schema of plain graphql-core: default resolvers over mappings, types told by name or by predicate."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from tests.engine.graphql.compiled.chaos import Later, World

SDL = """
directive @mark(with: String) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
interface Node { id: ID! }
interface Named implements Node { id: ID! name(short: Boolean = false): String }
type Person implements Named & Node { id: ID! name(short: Boolean = false): String friends: [Person!]! pet: Pet mood: Mood! }
type Cat implements Node { id: ID! lives: Int! owner: Person! rivals: [[Cat]] }
type Dog implements Node { id: ID! tricks: [String!] owner: Person matrix: [[Int!]!]! }
type Rock { weight: Float facts: [Fact!] }
union Pet = Cat | Dog | Rock
enum Mood { GLAD SAD MAD }
scalar Fact
input Filter { name: String = "all" moods: [Mood!] = [GLAD] deep: Filter limit: Int! = 7 }
input Exactly @oneOf { a: Int b: String }
type Query {
  node(id: ID!): Node
  named: [Named]
  pets(filter: Filter, limits: [[Int]], exactly: Exactly): [Pet!]
  person: Person!
  echo(text: String = "t", number: Float, filter: Filter = {name: "d"}, fact: Fact, moods: [Mood!] = [MAD]): String
}
type Mutation { add(filter: Filter!): Person remove(id: ID!): Boolean! }
"""


class Tree(Mapping[str, Any]):
    """An object of a type of the schema, whose fields are what the world makes of them."""

    def __init__(self, world: World, type_: GraphQLObjectType, key: str) -> None:
        self.world = world
        self.type = type_
        self.key = key

    def __repr__(self) -> str:
        return f"<Tree {self.type.name} {self.key}>"

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return iter(self.type.fields)

    def __getitem__(self, name: str) -> Any:
        if name == "__typename":
            return self.type.name if self.world.roll(3, self.key, "told") else None
        if name not in self.type.fields:
            raise KeyError(name)
        if self.world.roll(3, self.key, name, "call"):
            return self._value(name)
        return self._call(name)

    def _call(self, name: str) -> Any:
        def call(info: GraphQLResolveInfo, **arguments: Any) -> Any:
            self.world.log.append((tuple(info.path.as_list()), info.parent_type.name, repr(arguments)))
            self.world.log.append(
                (sorted(info.variable_values.coerced), sorted(info.variable_values.sources))
            )
            self.world.log.append(
                (len(info.field_nodes), info.operation.operation.value, sorted(info.fragments))
            )
            if self.world.troubled(self.key, name, "call"):
                raise self.world.error(self.key, name, "call")
            if name == "echo":
                return repr(arguments)
            return self._value(name)

        return call

    def _value(self, name: str) -> Any:
        return self._of(self.type.fields[name].type, f"{self.key}.{name}")

    def _of(self, type_: Any, key: str) -> Any:
        world = self.world
        if is_non_null_type(type_):
            type_ = type_.of_type
        elif world.roll(10, key, "null") == 0:
            return None
        if is_list_type(type_):
            return world.values(lambda inner: self._of(type_.of_type, inner), key, "items")
        value = self._one(get_named_type(type_), key)
        if world.roll(4, key, "later") == 0:
            value = Later(value, world.roll(3, key, "turns"))
        return world.value(value, key)

    def _one(self, type_: Any, key: str) -> Any:
        world = self.world
        if is_abstract_type(type_):
            possible = schema.get_possible_types(type_)
            type_ = possible[world.roll(len(possible), key, "possible")]
        if not is_leaf_type(type_):
            return Tree(world, type_, key)
        if isinstance(type_, GraphQLEnumType):
            return list(type_.values)[world.roll(3, key)]
        good = {
            "ID": (key, 12),
            "String": ("s", "中", 5, True, 1.0),
            "Int": (1, -5, 2**31, "7", 3.0),
            "Float": (1.5, 2, float("nan"), "1.5"),
            "Boolean": (True, False, 1, "yes"),
            "Fact": ({"a": 1}, [1], "f"),
        }[type_.name]
        return good[world.roll(len(good), key, "leaf")]


def _write_fact(value: Any) -> Any:
    if value == "f":
        raise GraphQLError("no fact", extensions={"code": "FACT"})
    return value


def _is_person(value: Any, info: Any) -> Any:
    found = isinstance(value, Tree) and value.type.name == "Person"
    turns = value.world.roll(3, value.key, "isTypeOf") if isinstance(value, Tree) else 0
    return Later(found, turns) if turns else found


def _is_rock(value: Any, info: Any) -> bool:
    if info.context.troubled("rock", getattr(value, "key", "")):
        raise info.context.error("rock")
    return isinstance(value, Tree) and value.type.name == "Rock"


def _type_of_pet(value: Any, info: Any, type_: Any) -> Any:
    world: World = info.context
    if not isinstance(value, Tree):
        return value.kind
    if world.troubled("pet", value.key):
        return ("Person", "Nobody", "Node", 5, None)[world.roll(5, "pet", value.key)]
    turns = world.roll(3, "pet turns", value.key)
    return Later(value.type.name, turns) if turns else value.type.name


def _make() -> GraphQLSchema:
    made = build_schema(SDL)
    fact: Any = made.type_map["Fact"]
    assert isinstance(fact, GraphQLScalarType)
    fact.coerce_output_value = _write_fact  # type: ignore[method-assign]
    types: Any = made.type_map
    types["Person"].is_type_of = _is_person
    types["Rock"].is_type_of = _is_rock
    types["Cat"].is_type_of = lambda value, info: isinstance(value, Tree) and value.type.name == "Cat"
    types["Dog"].is_type_of = lambda value, info: isinstance(value, Tree) and value.type.name == "Dog"
    types["Pet"].resolve_type = _type_of_pet
    return made


schema = _make()


def root(world: World) -> Tree:
    """The root value of both kinds of operations."""
    return _Root(world)


class _Root(Tree):
    def __init__(self, world: World) -> None:
        assert schema.query_type is not None
        super().__init__(world, schema.query_type, "root")

    def __getitem__(self, name: str) -> Any:
        assert schema.mutation_type is not None
        assert schema.query_type is not None
        self.type = schema.mutation_type if name in schema.mutation_type.fields else schema.query_type
        return super().__getitem__(name)
