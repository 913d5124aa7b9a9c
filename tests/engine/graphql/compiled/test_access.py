"""Whatever way a field gets its value in Strawberry or graphql-core, it gets it here."""

from __future__ import annotations

import asyncio

import strawberry
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    build_schema,
)
from strawberry.schema.config import StrawberryConfig

from kameng.graphql.compiled import CompiledSchema
from tests.engine.graphql.compiled.comparing import as_json, by_compiler, by_core


async def same(schema, source, variables=None, context=None, root=None):
    """The common answer of graphql-core and the compiled schema, as JSON."""
    expected = as_json(*await by_core(schema, source, variables, context, root))
    fallbacks = []
    compiled = CompiledSchema(schema, on_fallback=fallbacks.append)
    assert as_json(*await by_compiler(compiled, source, variables, context, root)) == expected
    assert fallbacks == []
    return expected.decode()


def of_module(root: Ways) -> str:
    return f"module function of {root.name}"


@strawberry.type
class Ways:
    name: str
    renamed: str = strawberry.field(name="other", default="renamed")
    outside: str = strawberry.field(resolver=of_module)

    @strawberry.field
    def by_self(self) -> str:
        return f"self {self.name}"

    @strawberry.field
    @staticmethod
    def static(parent: strawberry.Parent[Ways], suffix: str = "s") -> str:
        return f"static {parent.name}{suffix}"

    @strawberry.field
    @classmethod
    def of_class(cls, info: strawberry.Info, times: int = 2) -> str:
        return f"class {cls.__name__} {info.field_name}" * times

    @strawberry.field
    async def by_coroutine(self, info: strawberry.Info[str, None], word: str | None = None) -> str:
        await asyncio.sleep(0)
        return f"coroutine {self.name} {word} {info.context}"

    @strawberry.field
    def by_future(self) -> str:
        future = asyncio.get_running_loop().create_future()
        future.set_result("future")
        return future

    @strawberry.field
    async def letters(self) -> list[str]:
        return iter("ab")

    @strawberry.field
    async def stream(self) -> list[str]:
        async def letters():
            yield "x"
            await asyncio.sleep(0)
            yield "y"

        return letters()


@strawberry.type
class Query:
    @strawberry.field
    def ways(self, name: str = "n") -> Ways:
        return Ways(name=name)


@strawberry.type
class Entry:
    word: str


@strawberry.type
class Root:
    entry: Entry


async def test_functions_methods_futures_and_streams():
    source = """
      query ($w: String, $n: Int = 1) { ways { name other outside bySelf static a: static(suffix: "!") ofClass(times: $n)
        byCoroutine(word: $w) byFuture letters stream } }
    """

    assert await same(strawberry.Schema(query=Query), source, {"w": "w"}, "context") == (
        '{"data":{"ways":{"name":"n","other":"renamed","outside":"module function of n","bySelf":"self n",'
        '"static":"static ns","a":"static n!","ofClass":"class Ways ofClass","byCoroutine":"coroutine n w context",'
        '"byFuture":"future","letters":["a","b"],"stream":["x","y"]}},"errors":[]}'
    )


async def test_a_default_resolver_of_the_schema():
    def look_up(source, name):
        return source[name] if isinstance(source, dict) else getattr(source, name)

    schema = strawberry.Schema(query=Root, config=StrawberryConfig(default_resolver=look_up))

    assert await same(schema, "{ entry { word } }", root={"entry": {"word": "looked up"}}) == (
        '{"data":{"entry":{"word":"looked up"}},"errors":[]}'
    )


async def test_resolvers_of_graphql_core_over_dicts_objects_and_callables():
    schema = build_schema(
        "type Query { plain: String called(n: Int = 2): String missing: Int nested: Query }"
    )

    class Nested:
        plain = "attribute"

        def called(self, info, n):
            return f"{info.field_name} {n}"

    root = {"plain": "dict", "called": lambda info, n: f"called {n}", "nested": Nested()}
    answer = await same(schema, "{ plain called missing nested { plain called(n: 7) missing } }", root=root)

    assert answer == (
        '{"data":{"plain":"dict","called":"called 2","missing":null,'
        '"nested":{"plain":"attribute","called":"called 7","missing":null}},"errors":[]}'
    )


async def test_a_resolver_info_is_graphql_cores():
    # given a resolver that keeps its info, in a list within a list
    seen = []

    def look(_source, info):
        seen.append(GraphQLResolveInfo(*info))
        return info._replace(field_name="replaced").field_name

    schema = build_schema("type Query { rows: [[Item]] } type Item { look: String }")
    schema.type_map["Item"].fields["look"].resolve = look
    source = (
        "query Q($v: Boolean = false) { rows { l: look ...F } } fragment F on Item { l: look @skip(if: $v) }"
    )
    await same(schema, source, context="context", root={"rows": [[{}, {}]]})
    theirs, ours = seen[:2], seen[2:]

    for expected, info in zip(theirs, ours, strict=True):
        assert info.path == expected.path
        assert info.path.as_list() == expected.path.as_list()
        assert [node.loc.start for node in info.field_nodes] == [
            node.loc.start for node in expected.field_nodes
        ]
        assert (info.field_name, info.return_type, info.parent_type) == (
            "look",
            GraphQLString,
            expected.parent_type,
        )
        assert (info.schema, info.root_value, info.context) == (schema, expected.root_value, "context")
        assert (list(info.fragments), info.operation.name.value) == (["F"], "Q")
        assert info.variable_values.coerced == expected.variable_values.coerced == {"v": False}
        assert list(info.variable_values.sources) == ["v"]
        assert info.abort_signal is None
    assert ours[1].path.as_list() == ["rows", 0, 1, "l"]


async def test_helpers_of_the_info_gather_and_track():
    ended = []

    async def end(word):
        await asyncio.sleep(0)
        ended.append(word)
        return word

    async def resolve(_source, info):
        info.async_helpers.track([end("tracked"), "no awaitable"])
        assert info.is_awaitable(1) is False
        return "".join(await info.async_helpers.gather([end("a"), end("b")]))

    schema = GraphQLSchema(GraphQLObjectType("Query", {"word": GraphQLField(GraphQLString, resolve=resolve)}))

    assert await same(schema, "{ word }") == '{"data":{"word":"ab"},"errors":[]}'
    assert sorted(ended) == ["a", "a", "b", "b", "tracked", "tracked"]
