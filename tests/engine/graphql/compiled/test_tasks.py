"""Tasks: who is cancelled, and that none is left over."""

import asyncio

import pytest
import strawberry

from kameng.graphql.compiled import CompiledSchema
from tests.engine.graphql.compiled.comparing import as_json, by_compiler, by_core


@strawberry.type
class Child:
    name: str

    @strawberry.field
    async def hangs(self, info: strawberry.Info) -> str:
        info.context.append(f"{self.name} begins")
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            info.context.append(f"{self.name} is cancelled")
            raise
        return "never"

    @strawberry.field
    async def breaks(self, info: strawberry.Info) -> str:
        await asyncio.sleep(0)
        raise ValueError(self.name)

    @strawberry.field
    async def cancels(self) -> str:
        raise asyncio.CancelledError("by itself")

    @strawberry.field
    def breaks_at_once(self) -> str:
        raise ValueError(self.name)

    @strawberry.field
    async def ends(self, info: strawberry.Info) -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        info.context.append(f"{self.name} ends")
        return self.name


@strawberry.type
class Query:
    @strawberry.field
    def child(self, name: str = "c") -> Child | None:
        return Child(name=name)

    @strawberry.field
    async def children(self) -> list[Child]:
        return [Child(name="a"), Child(name="b")]


schema = strawberry.Schema(query=Query)
compiled = CompiledSchema(schema)
ways = pytest.mark.parametrize(
    "execute",
    [lambda *args: by_core(schema, *args), lambda *args: by_compiler(compiled, *args)],
    ids=["core", "ours"],
)


@pytest.fixture(autouse=True)
async def nothing_is_left_running():
    before = asyncio.all_tasks()
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}


@ways
async def test_an_error_cancels_what_runs_beside_it(execute):
    log = []
    data, errors = await execute("{ child { breaks hangs } }", None, log)

    assert as_json(data, errors) == (
        b'{"data":{"child":null},"errors":[{"message":"c","locations":[{"line":1,"column":11}],"path":["child","breaks"]}]}'
    )
    assert log == ["c begins", "c is cancelled"]


@ways
async def test_an_error_cancels_the_other_items_of_its_list(execute):
    log = []
    data, errors = await execute("{ children { breaks hangs } }", None, log)

    assert (data, [error.path for error in errors]) == (None, [["children", 0, "breaks"]])
    assert sorted(log) == ["a begins", "a is cancelled", "b begins", "b is cancelled"]


@ways
async def test_what_began_before_an_immediate_error_comes_to_its_end_unheard(execute):
    log = []
    data, errors = await execute("{ child { ends breaksAtOnce } }", None, log)

    assert (data, len(errors), log) == ({"child": None}, 1, [])
    for _ in range(6):
        await asyncio.sleep(0)
    assert log == ["c ends"]


@ways
async def test_a_request_that_is_cancelled_cancels_its_resolvers(execute):
    log = []
    task = asyncio.create_task(
        execute('{ a: child(name: "a") { hangs } b: child(name: "b") { hangs } }', None, log)
    )
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert log == ["a begins", "b begins", "a is cancelled", "b is cancelled"]


async def test_a_resolver_that_is_cancelled_though_its_request_is_not_is_an_error():
    data, errors = await by_compiler(compiled, "{ child { cancels } }", None, [])

    assert (data, [error.message for error in errors]) == (
        None,
        ["A resolver was cancelled by something other than its request."],
    )
    assert isinstance(errors[0].original_error, RuntimeError)
    assert isinstance(errors[0].original_error.__cause__, asyncio.CancelledError)
