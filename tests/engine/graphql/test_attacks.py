"""What attackers try on a GraphQL endpoint, as graphql-cop lists it, against the real application."""

import pytest

from tests.engine.graphql.conftest import MakeSite, Site
from tests.engine.graphql.sample import SEEN

INTROSPECT = "{ __schema { queryType { name } } }"


async def test_fifteen_aliased_lists_are_refused_before_any_is_resolved(site: Site) -> None:
    lists = " ".join(f"a{i}: things(first: 100) {{ nodes {{ id }} }}" for i in range(15))

    assert await site.code(f"{{ {lists} }}") == "GRAPHQL_TOO_COMPLEX"
    assert SEEN.resolved == 0


async def test_fifteen_lists_below_one_object_are_too_expensive(site: Site) -> None:
    lists = " ".join(f"a{i}: parts(first: 100) {{ nodes {{ id }} }}" for i in range(15))

    answer = await site.post(f"{{ things(first: 1) {{ nodes {{ {lists} }} }} }}")

    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_TOO_EXPENSIVE"
    # things 1, its one node 1, and fifteen times a list of 1 with 100 objects
    assert answer["errors"][0]["extensions"]["cost"] == {"requested": 1 + 1 + 15 * 101, "limit": 1000}
    assert SEEN.resolved == 0


@pytest.mark.parametrize(
    ("attack", "limit"),
    [
        ("{ " + " ".join(f"a{i}: __typename" for i in range(100)) + " }", "aliases"),
        ("{ __typename " + "@aa" * 10 + " }", "directives"),
        ("{ __typename " + "@include(if: true)" * 10 + " }", "directives"),
        ("query " + "@aa " * 500 + "{ __typename }", "directives"),
        ("{ " + "__typename " * 500 + " }", "same_key"),
        ("{ things { " + "nodes { id } " * 200 + " } }", "same_key"),
        ("{ things { nodes " + "{ parts { nodes " * 10 + "{ id }" + " } }" * 10 + " } }", "depth"),
        (
            "{ things { "
            + "".join(f"...F{i} " for i in range(40))
            + "} }"
            + "".join(f" fragment F{i} on ThingConnection {{ nodes {{ id }} }}" for i in range(40)),
            "same_key",
        ),
        (
            "{ ...F0 }"
            + "".join(f" fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} ...F{i + 1} }}" for i in range(40))
            + " fragment F40 on Query { __typename }",
            "fields",
        ),
        ("{ " + " ".join(f"a{i}: things {{ nodes {{ id }} }}" for i in range(11)) + " }", "root_fields"),
        ("mutation { " + " ".join(f'a{i}: addThing(title: "x") {{ number }}' for i in range(6)) + " }", "mutations"),
        ("{ things(first: 101) { nodes { id } } }", "page_size"),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)  # fmt: skip
async def test_overloading_is_refused_with_one_typed_error(site: Site, attack: str, limit: str) -> None:
    answer = await site.post(attack)

    assert "data" not in answer
    assert len(answer["errors"]) == 1
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_TOO_COMPLEX"
    assert answer["errors"][0]["extensions"]["limit"]["name"] == limit
    assert SEEN.resolved == SEEN.added == 0


async def test_a_page_size_in_a_variable_is_checked_before_anything_runs(site: Site) -> None:
    query = "query($n: Int) { things(first: $n) { nodes { id } } }"

    assert await site.code(query, {"n": 101}) == "GRAPHQL_TOO_COMPLEX"
    assert SEEN.resolved == 0
    assert (await site.post(query, {"n": 100}))["status"] == 200


async def test_too_many_tokens_are_refused_before_the_document_is_read_to_its_end(site: Site) -> None:
    assert await site.code("{ " + "a b " * 3000 + "}") == "GRAPHQL_TOO_COMPLEX"
    assert await site.code("{" + "a{" * 2000 + "b" + "}" * 2001) == "GRAPHQL_TOO_COMPLEX"
    assert (
        await site.code("{ things(first: " + "[" * 2000 + "]" * 2000 + ") { nodes { id } } }")
        == "GRAPHQL_TOO_COMPLEX"
    )


async def test_circular_fragments_are_no_endless_loop(site: Site) -> None:
    answer = await site.post(
        "{ things { nodes { ...A } } } fragment A on Thing { parts { nodes { ...B } } }"
        " fragment B on Thing { parts { nodes { ...A } } }"
    )

    assert answer["errors"][0]["message"] == "Cannot spread fragment 'A' within itself via 'B'."
    assert "data" not in answer


async def test_ten_requests_in_one_body_are_refused(site: Site) -> None:
    for body in ([{"query": "{ engineVersion }"}] * 10, []):
        answer = await site.http.post("/graphql/shop", json=body)
        assert answer.json()["errors"][0]["extensions"]["code"] == "BATCH_REFUSED"


async def test_nobody_asks_the_schema_about_itself_in_production(make_site: MakeSite) -> None:
    site = await make_site(environment="production", trusted_documents="allow")

    for query in (
        INTROSPECT,
        '{ __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { __schema { types { name } } }",
    ):
        answer = await site.post(query)
        assert answer["status"] == 403
        assert answer["errors"][0]["extensions"]["code"] == "INTROSPECTION_FORBIDDEN"
    assert (await site.post("{ __typename }"))["data"] == {"__typename": "Query"}


async def test_development_tells_about_the_schema_but_not_in_circles(site: Site) -> None:
    assert (await site.post(INTROSPECT))["data"] == {"__schema": {"queryType": {"name": "Query"}}}
    circle = "{ __schema { types " + "{ fields { type " * 4 + "{ name }" + " } }" * 4 + " } }"
    assert {error["message"] for error in (await site.post(circle))["errors"]} == {
        "Maximum introspection depth exceeded"
    }


@pytest.mark.parametrize(
    "query", ["{ thing { id } }", "{ things { node { id } } }", "{ things(firs: 1) { nodes { id } } }"]
)
async def test_production_suggests_no_names(make_site: MakeSite, query: str) -> None:
    site = await make_site(environment="production", trusted_documents="allow")

    answer = await site.post(query)

    assert "Did you mean" not in answer["errors"][0]["message"]


async def test_a_mutation_is_never_sent_by_get(site: Site) -> None:
    query = {"query": 'mutation { addThing(title: "x") { number } }'}

    for headers in ({}, {"kameng-preflight": "1"}):
        answer = await site.http.get("/graphql/shop", params=query, headers=headers)
        assert answer.status_code == 405
    assert SEEN.added == 0


async def test_a_query_by_get_or_as_a_form_needs_what_other_sites_cannot_send(site: Site) -> None:
    query = {"query": "{ __typename }"}

    assert (await site.http.get("/graphql/shop", params=query)).status_code == 405
    assert (await site.http.post("/graphql/shop", data=query)).status_code == 415
    allowed = await site.http.get("/graphql/shop", params=query, headers={"kameng-preflight": "1"})
    assert allowed.json()["data"] == {"__typename": "Query"}


async def test_there_is_no_ide_to_be_found(site: Site) -> None:
    for path in ("/graphql/shop", "/graphql", "/graphiql", "/playground"):
        answer = await site.http.get(path, headers={"accept": "text/html"})
        assert answer.status_code in (404, 405, 406)
        assert "graphiql" not in answer.text.lower()


async def test_no_traces_of_the_inside_are_told(site: Site) -> None:
    answer = await site.post('mutation { addThing(title: "x") { broken } }')

    assert "ZeroDivision" not in str(answer)
    assert "tracing" not in answer.get("extensions", {})
