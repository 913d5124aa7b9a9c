"""Several operations in one body: bounded, admitted one by one, carried out in their order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.graphql.conftest import MakeSite, Site
from tests.engine.graphql.sample import SEEN

THINGS = "{ things(first: 100) { nodes { id } } }"
# things 1, and 100 nodes
PRICE = 101


def add(title: str, key: str | None = None) -> dict[str, str]:
    directive = f' @idempotent(key: "{key}")' if key else ""
    return {
        "query": f'mutation {{ addThing(title: "{title}"){directive} {{ number title errors {{ code }} }} }}'
    }


async def send(site: Site, *requests: Any, **headers: str) -> Any:
    return await site.http.post(
        "/graphql/shop",
        json=list(requests),
        headers={name.replace("_", "-"): headers[name] for name in headers},
    )


def code(answer: Any) -> str:
    """The code of the only error of an answer that has nothing else."""
    body = answer.json() if hasattr(answer, "json") else answer
    assert "data" not in body
    (error,) = body["errors"]
    return str(error["extensions"]["code"])


async def test_each_operation_is_answered_in_its_place(site: Site) -> None:
    answer = await send(
        site,
        {"query": "{ engineVersion }"},
        {"query": "query($n: Int) { things(first: $n) { nodes { title } } }", "variables": {"n": 1}},
        {"query": "query A { a: __typename } query B { b: __typename }", "operationName": "B"},
    )

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert [each["data"] for each in answer.json()] == [
        {"engineVersion": "0.1.0"},
        {"things": {"nodes": [{"title": "A thing"}]}},
        {"b": "Query"},
    ]


async def test_mutations_run_in_their_order(site: Site) -> None:
    answer = await send(site, add("one"), add("two"), add("three"))

    made = [each["data"]["addThing"] for each in answer.json()]
    assert [each["title"] for each in made] == ["one", "two", "three"]
    numbers = [each["number"] for each in made]
    assert numbers == sorted(numbers)
    rows = await site.kernel.db.fetch("select title from sample_thing order by id")
    assert [row["title"] for row in rows] == ["one", "two", "three"]


async def test_a_wrong_one_is_told_in_its_place_and_the_others_run(site: Site) -> None:
    answer = await send(
        site,
        {"query": "{ nope }"},
        add("kept"),
        {"query": "{ " + " ".join(f"a{i}: __typename" for i in range(100)) + " }"},
        {"query": "{"},
        {"query": "{ engineVersion }"},
    )

    wrong, kept, large, broken, right = answer.json()
    assert (code(wrong), code(large), code(broken)) == (
        "GRAPHQL_INVALID",
        "GRAPHQL_TOO_COMPLEX",
        "GRAPHQL_INVALID",
    )
    assert kept["data"]["addThing"]["title"] == "kept"
    assert right["data"] == {"engineVersion": "0.1.0"}
    assert SEEN.added == 1


async def test_more_than_are_served_are_refused_before_any_runs(site: Site) -> None:
    answer = await send(site, *[add("never")] * 6)

    assert code(answer) == "BATCH_REFUSED"
    assert answer.json()["errors"][0]["extensions"]["limit"] == {"name": "batch", "maximum": 5, "actual": 6}
    assert SEEN.added == 0


async def test_together_they_cost_no_more_than_one_may(make_site: MakeSite) -> None:
    # Given room for two of these operations in a single one
    site = await make_site(max_cost=2 * PRICE, show_cost=True)

    within = await send(site, {"query": THINGS}, {"query": THINGS})
    beyond = await send(
        site, {"query": THINGS}, {"query": THINGS}, {"query": "{ things(first: 1) { nodes { id } } }"}
    )

    assert [each["extensions"]["cost"]["requested"] for each in within.json()] == [PRICE, PRICE]
    assert code(beyond) == "GRAPHQL_TOO_EXPENSIVE"
    assert beyond.json()["errors"][0]["extensions"]["cost"] == {
        "requested": 2 * PRICE + 2,
        "limit": 2 * PRICE,
    }
    assert SEEN.resolved == 2


async def test_the_bucket_pays_for_all_of_them(make_site: MakeSite) -> None:
    # Given a bucket for two and a half of these operations, which does not fill up meanwhile
    site = await make_site(bucket_capacity=250, bucket_refill=1, show_cost=True)

    first = await send(site, {"query": THINGS}, {"query": THINGS})
    second = await send(site, {"query": THINGS})

    assert first.status_code == 200
    assert (second.status_code, code(second)) == (429, "GRAPHQL_BUDGET_EXHAUSTED")
    assert SEEN.resolved == 2


async def test_a_subscription_fits_into_no_batch(site: Site) -> None:
    subscription, query = (
        await send(site, {"query": 'subscription { signalled(topic: "x") }'}, {"query": "{ engineVersion }"})
    ).json()

    assert code(subscription) == "GRAPHQL_REFUSED"
    assert query["data"] == {"engineVersion": "0.1.0"}


async def test_one_key_cannot_stand_for_several(site: Site) -> None:
    answer = await send(site, add("one"), add("two"), idempotency_key="k")

    assert code(answer) == "BATCH_REFUSED"
    assert SEEN.added == 0


async def test_each_mutation_keeps_its_own_key(site: Site) -> None:
    batch = [add("one", "first"), add("two", "second")]

    once, again = (await send(site, *batch)).json(), (await send(site, *batch)).json()

    assert [each["data"] for each in once] == [each["data"] for each in again]
    assert SEEN.added == 2


async def test_a_failed_mutation_does_not_stop_the_next(site: Site) -> None:
    answer = (await send(site, add("sold out"), add("two"))).json()

    assert answer[0]["data"]["addThing"]["errors"] == [{"code": "NONE_LEFT"}]
    assert answer[1]["data"]["addThing"]["title"] == "two"


@pytest.mark.parametrize(
    "body",
    [
        "[",
        "[1]",
        "[[]]",
        '["{ engineVersion }"]',
        '[{"variables": {}}]',
        '[{"query": 7}]',
        '[{"query": "{ engineVersion }"}, null]',
    ],
)
async def test_what_is_no_list_of_requests_is_told_as_one_error(site: Site, body: str) -> None:
    answer = await site.http.post("/graphql/shop", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert code(answer) == "REQUEST_UNREADABLE"


async def test_production_serves_none(make_site: MakeSite) -> None:
    site = await make_site(environment="production", trusted_documents="off")

    assert code(await send(site, {"query": "{ engineVersion }"})) == "BATCH_REFUSED"


async def test_a_batch_asks_for_trusted_documents_like_anybody(make_site: MakeSite) -> None:
    site = await make_site(environment="production", max_batch=3)

    (answer,) = (await send(site, {"query": "{ engineVersion }"})).json()

    assert code(answer) == "DOCUMENT_NOT_TRUSTED"
