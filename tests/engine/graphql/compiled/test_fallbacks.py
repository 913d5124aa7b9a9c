"""What is left to graphql-core has the same answer, a stable reason, and is counted each time."""

import pytest
import strawberry
from graphql import build_schema
from strawberry.extensions import MaxAliasesLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from kameng.errors import BootError
from kameng.graphql.compiled import CompiledSchema, CompileLimits
from kameng.graphql.compiled.emit import Emitter
from tests.engine.graphql.compiled import shop


async def test_a_directive_that_changes_values_is_left_to_strawberry(compiled, fallbacks):
    prepared = compiled.prepare("{ cards(first: 1) { name @shout id } }")
    results = [await prepared.execute() for _ in range(2)]

    assert [result.data for result in results] == [{"cards": [{"name": "CARD 1", "id": "1"}]}] * 2
    assert (prepared.compiled, prepared.fallback_reason) == (False, "directive")
    assert fallbacks == ["directive", "directive"]


async def test_an_inert_directive_is_compiled(ask, compiled, fallbacks):
    source = 'mutation ($k: String!) { quick(name: "a") @idempotent(key: $k) }'
    result = await ask(source, {"k": "key"})

    assert result.data == {"quick": "a"}
    assert compiled.prepare(source).compiled is True
    assert fallbacks == []


async def test_a_condition_that_is_null_is_reported_by_graphql_core(ask, fallbacks):
    result = await ask("query ($if: Boolean = true) { cards { id @skip(if: $if) } }", {"if": None})

    assert (result.data, len(result.errors)) == (None, 1)
    assert fallbacks == ["condition"]


@pytest.mark.parametrize(
    ("limits", "source", "reason"),
    [
        (CompileLimits(fields=3), "{ cards { id name stock } }", "size"),
        (CompileLimits(selections=3), "{ cards { id name stock } }", "size"),
        (CompileLimits(depth=2), "{ cards { price { amount } } }", "depth"),
    ],
)
async def test_what_exceeds_a_limit_is_left_to_graphql_core(limits, source, reason):
    fallbacks = []
    compiled = CompiledSchema(shop.schema, limits=limits, on_fallback=fallbacks.append)
    expected = await CompiledSchema(shop.schema).prepare(source).execute()
    prepared = compiled.prepare(source)
    result = await prepared.execute()

    assert result.to_json() == expected.to_json()
    assert (prepared.fallback_reason, fallbacks) == (reason, [reason])


async def test_a_fault_of_the_compiler_is_counted_and_does_not_show(compiled, fallbacks, monkeypatch):
    def fail(*_arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(Emitter, "build", fail)
    prepared = compiled.prepare("{ cards(first: 1) { id } }")

    assert (await prepared.execute()).data == {"cards": [{"id": "1"}]}
    assert (prepared.fallback_reason, fallbacks) == ("fault", ["fault"])


async def test_depth_is_counted_through_shared_fragments():
    # given a fragment that is met two levels deep first, and four levels deep later
    source = """
      { cards { ...Deep similar { similar { ...Deep } } } }
      fragment Deep on Card { price { amount } }
    """
    allowed = CompiledSchema(shop.schema, limits=CompileLimits(depth=5)).prepare(source)
    refused = CompiledSchema(shop.schema, limits=CompileLimits(depth=4)).prepare(source)
    await allowed.execute(context=shop.Context())
    await refused.execute(context=shop.Context())

    assert (allowed.fallback_reason, refused.fallback_reason) == (None, "depth")


async def test_a_schema_with_an_executor_of_its_own_is_left_to_it():
    class Executor(StrawberryGraphQLCoreExecutionContext):
        pass

    schema = strawberry.Schema(query=shop.Query, execution_context_class=Executor)
    prepared = CompiledSchema(schema).prepare("{ cards(first: 1) { id } }")

    assert (await prepared.execute()).data == {"cards": [{"id": "1"}]}
    assert prepared.fallback_reason == "executor"


async def test_a_mutation_without_a_root_type_is_refused_like_by_graphql_core():
    compiled = CompiledSchema(build_schema("type Query { a: Int }"))
    prepared = compiled.prepare("mutation { __typename }")

    assert [error.message for error in prepared.errors] == [
        "The mutation operation is not supported by the schema."
    ]


def test_a_schema_whose_extensions_would_be_passed_over_does_not_start():
    schema = strawberry.Schema(query=shop.Query, extensions=[lambda: MaxAliasesLimiter(max_alias_count=1)])
    with pytest.raises(BootError, match="Strawberry extensions"):
        CompiledSchema(schema)


def test_a_schema_that_defers_does_not_start():
    schema = strawberry.Schema(
        query=shop.Query, config=StrawberryConfig(enable_experimental_incremental_execution=True)
    )
    with pytest.raises(BootError, match="@defer or @stream"):
        CompiledSchema(schema)


def test_an_invalid_schema_does_not_start():
    with pytest.raises(BootError, match="Query root type must be provided"):
        CompiledSchema(build_schema("type Card { id: ID }"))
