"""What may be remembered of a value by its class, and what not."""

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from kameng.graphql.compiled import CompiledSchema
from kameng.graphql.compiled.facts import is_ordinary
from tests.engine.graphql.compiled.comparing import as_json, by_core


class Plain:
    pass


class Slotted:
    __slots__ = ("a",)


class Awaitable(Plain):
    def __await__(self):
        yield
        return self


class Dynamic:
    def __getattr__(self, name):
        raise AttributeError(name)


class Watched:
    def __getattribute__(self, name):
        return object.__getattribute__(self, name)


class Posing:
    @property
    def __class__(self):
        return int


class Meta(type):
    def __getattr__(cls, name):
        return lambda self: None


class OfMeta(metaclass=Meta):
    pass


def test_classes_that_say_everything_about_their_instances():
    assert [c.__name__ for c in (Plain, Slotted, OfMeta, int, str, dict) if not is_ordinary(c)] == []


def test_classes_whose_instances_may_differ():
    different = (Awaitable, Dynamic, Watched, Posing, ValueError, type("Sub", (Awaitable,), {}))
    assert [c.__name__ for c in different if is_ordinary(c)] == []


@strawberry.type
class Failing(Exception):
    name: str = "failing"


@strawberry.type
class Waiting:
    name: str = "waiting"

    def __await__(self):
        yield
        return Waiting(name="waited")


@strawberry.type
class Dated:
    name: str


@strawberry.type
class Query:
    @strawberry.field
    def failing(self) -> Failing | None:
        return Failing()

    @strawberry.field
    def waiting(self) -> Waiting | None:
        return Waiting()

    @strawberry.field
    def dated(self) -> list[Dated]:
        return [Dated(name="a"), Waiting(name="duck"), Dated(name="b")]


async def test_objects_that_are_errors_or_awaitable_stay_so_at_every_sight():
    # given a class that is an exception, one that is awaitable, and one that stands in for another's type
    schema = strawberry.Schema(query=Query)
    source = "{ failing { name } dated { name } waiting { name } }"
    expected = as_json(*await by_core(schema, source))
    prepared = CompiledSchema(schema).prepare(source)
    for _ in range(3):
        result = await prepared.execute()
        assert as_json(result.data, result.errors) == expected

    assert result.data == {
        "failing": None,
        "dated": [{"name": "a"}, {"name": "waited"}, {"name": "b"}],
        "waiting": {"name": "waited"},
    }


async def test_defaults_of_variables_are_made_anew_for_each_request():
    # given a resolver that changes the list it is given
    def grow(_source, _info, numbers):
        numbers.append(9)
        return repr(numbers)

    field = GraphQLField(GraphQLString, {"numbers": GraphQLArgument(GraphQLList(GraphQLInt))}, grow)
    schema = GraphQLSchema(GraphQLObjectType("Query", {"grow": field}))
    prepared = CompiledSchema(schema).prepare(
        "query ($n: [Int] = [1, 2]) { grow(numbers: $n) again: grow(numbers: $n) }"
    )
    for _ in range(2):
        result = await prepared.execute()
        assert result.data == {"grow": "[1, 2, 9]", "again": "[1, 2, 9, 9]"}
    assert as_json(result.data, result.errors) == as_json(
        *await by_core(schema, "query ($n: [Int] = [1, 2]) { grow(numbers: $n) again: grow(numbers: $n) }")
    )
