"""The cost of an operation, worked out before it runs."""

import pytest

from kameng.graphql import compose_schema
from kameng.graphql.compiled import Prepared
from kameng.graphql.cost import OperationCost
from kameng.graphql.execution import Executor
from kameng.graphql.refusals import TooComplex
from tests.engine.graphql.conftest import MakeSite, Site
from tests.engine.graphql.sample import SAMPLE, SEEN

EXECUTOR = Executor(compose_schema("shop", [SAMPLE]))


def cost_of(query: str, **variables: object) -> int:
    prepared = EXECUTOR.prepare(query)
    assert isinstance(prepared, Prepared), prepared.errors
    return OperationCost(prepared.operation).of(variables)


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ __typename }", 1),  # nothing is free
        ("{ engineVersion }", 1),
        ("{ things { pageInfo { hasNextPage } } }", 1),
        ("{ things { nodes { id title } } }", 1 + 20),
        ("{ things(first: 5) { nodes { id title } } }", 1 + 5),
        ("{ things(first: 5) { edges { cursor node { title } } } }", 1 + 5),
        ("{ things(first: 5) { edges { cursor node { title } } nodes { id } pageInfo { endCursor } } }", 1 + 5 + 5),
        ("{ things(first: 5) { nodes { tags { name } } } }", 1 + 5 * (1 + 10)),
        ("{ things(first: 5) { nodes { parts(last: 3) { nodes { id } } } } }", 1 + 5 * (1 + 1 + 3)),
        ("{ things(first: 0) { nodes { id } } }", 1),
        ("{ report { name } }", 30 + 50),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ('{ node(id: "a") { id ... on Thing { tags { name } } } }', 1 + 10),  # the dearest type counts
        # A field that is asked for twice at one place is resolved once.
        ("{ things(first: 5) { nodes { id } } things(first: 5) { nodes { title } } }", 1 + 5),
        ("{ ...F ...F } fragment F on Query { things(first: 5) { nodes { id } } }", 1 + 5),
        ("{ a: things(first: 5) { nodes { id } } b: things(first: 5) { nodes { id } } }", 2 * (1 + 5)),
        ("{ things(first: 5) @skip(if: true) { nodes { id } } engineVersion }", 1),
        ("query($yes: Boolean!) { things(first: 5) @include(if: $yes) { nodes { id } } }", 1 + 5),
        ("query($no: Boolean!) { things(first: 5) @skip(if: $no) { nodes { id } } }", 1 + 5),
        ("{ __schema { types { name } } }", 100),
        ('mutation { addThing(title: "x") { number } }', 10),
        ('mutation { a: addThing(title: "x") { number } b: addThing(title: "y") { number } }', 20),
    ],
)  # fmt: skip
def test_the_cost_of_a_document_without_variables_is_a_number(query: str, cost: int) -> None:
    prepared = EXECUTOR.prepare(query)
    assert isinstance(prepared, Prepared), prepared.errors
    assert OperationCost(prepared.operation).constant == cost


PAGES = "query($n: Int, $m: Int = 4) { things(first: $n) { nodes { parts(first: $m) { nodes { id } } } } }"


@pytest.mark.parametrize(
    ("variables", "cost"),
    [
        ({}, 1 + 20 * (1 + 1 + 4)),
        ({"n": 3, "m": 2}, 1 + 3 * (1 + 1 + 2)),
        ({"n": 3, "m": None}, 1 + 3 * (1 + 1 + 4)),
        ({"n": 0}, 1),
        ({"n": -5}, 1),  # which the list itself refuses
        ({"n": 3.0, "m": 2}, 1 + 3 * (1 + 1 + 2)),  # JSON does not tell the two apart
        ({"n": "three", "m": 2}, 1 + 100 * (1 + 1 + 2)),  # which coercion refuses
    ],
)
def test_variables_say_how_long_pages_are(variables: dict[str, object], cost: int) -> None:
    assert cost_of(PAGES, **variables) == cost


def test_the_number_of_ids_counts() -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert cost_of(query, ids=["a"] * 7) == 7


@pytest.mark.parametrize("variables", [{"n": 101}, {"m": 101}, {"n": 1e300}, {"n": 10**30}])
def test_a_page_in_a_variable_is_at_most_a_hundred(variables: dict[str, object]) -> None:
    if next(iter(variables.values())) == 101:
        with pytest.raises(TooComplex):
            cost_of(PAGES, **variables)
    else:  # no Int at all: coercion refuses it
        assert cost_of(PAGES, **variables) == 1 + 100 * (1 + 1 + 4)


def test_a_bomb_of_pages_is_counted_in_no_time_and_not_beyond_bounds() -> None:
    query = "{ things { nodes " + "{ parts(first: 100) { nodes " * 12 + "{ id }" + " } }" * 12 + " } }"
    assert cost_of(query) >= 10**9
    dynamic = "query($n: Int) " + query.replace("100", "$n")
    assert cost_of(dynamic, n=100) >= 10**9
    assert cost_of(_shared(8), n=100) == 10**9


def _shared(levels: int) -> str:
    """A document in which every level asks twice for the next."""
    return (
        "query($n: Int) { things { nodes { ...F0 } } }"
        + "".join(
            f" fragment F{i} on Thing {{ a: parts(first: $n) {{ nodes {{ ...F{i + 1} }} }}"
            f" b: parts(first: $n) {{ nodes {{ ...F{i + 1} }} }} }}"
            for i in range(levels)
        )
        + f" fragment F{levels} on Thing {{ id }}"
    )


def test_what_depends_on_variables_grows_with_the_text_and_not_with_what_it_spreads_to() -> None:
    prepared = EXECUTOR.prepare(_shared(8))
    assert isinstance(prepared, Prepared)
    # 2⁸ places at the bottom, but each fragment is counted once.
    assert len(OperationCost(prepared.operation)._steps) < 50


async def test_the_answer_tells_the_cost_in_development(site: Site) -> None:
    answer = await site.post("{ things(first: 5) { nodes { id } } }")

    cost = answer["extensions"]["cost"]
    assert (cost["requested"], cost["limit"]) == (6, 1000)
    assert cost["bucket"]["maximum"] == 1_000_000
    assert cost["bucket"]["restoreRate"] == 100_000
    assert 0 < cost["bucket"]["available"] <= 1_000_000 - 6


async def test_production_tells_the_cost_to_those_who_ask(make_site: MakeSite) -> None:
    site = await make_site(environment="production", trusted_documents="allow", bucket_capacity=0)
    query = "{ things(first: 5) { nodes { id } } }"

    assert "extensions" not in await site.post(query)
    told = await site.post(query, headers={"Kameng-Cost": "1"})
    assert told["extensions"] == {"cost": {"requested": 6, "limit": 1000}}


async def test_too_expensive_is_refused_before_it_runs_and_just_affordable_runs(make_site: MakeSite) -> None:
    site = await make_site(max_cost=101)
    query = "query($n: Int) { things(first: $n) { nodes { id } } }"

    assert (await site.post(query, {"n": 100}))["status"] == 200
    assert SEEN.resolved == 1
    assert await site.code("{ things(first: 100) { nodes { id tags { name } } } }") == "GRAPHQL_TOO_EXPENSIVE"
    assert SEEN.resolved == 1
