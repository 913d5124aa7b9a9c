"""Mutations with a key are carried out once, whoever repeats them, however often, and whatever dies in between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.graphql.idempotent_results import prune_results
from kameng.ids import new_id
from kameng.testing.kernels import unique
from tests.engine.graphql.conftest import Site
from tests.engine.graphql.sample import SEEN

ADD = "mutation($t: String!, $k: String!) { addThing(title: $t) @idempotent(key: $k) { number title errors { code } } }"
ADD_PLAIN = "mutation($t: String!) { addThing(title: $t) { number title errors { code message } } }"
MEMBER = Principal(kind=PrincipalKind.MEMBER, id=new_id())


async def ask(
    site: Site, query: str, variables: Any = None, principal: Principal = MEMBER, **values: Any
) -> Any:
    context = Context(site.kernel, principal=principal, correlation_id="c0ffee", **values)
    return await site.kernel.graphql["shop"].execute(query, variables, context)


async def things(site: Site) -> int:
    count: int = await site.kernel.db.fetchval("select count(*) from sample_thing")
    return count


async def claims(site: Site) -> int:
    count: int = await site.kernel.db.fetchval("select count(*) from kernel_idempotency")
    return count


async def test_the_same_key_and_input_give_the_stored_result(site: Site) -> None:
    variables = {"t": "a", "k": unique("key")}

    first = await ask(site, ADD, variables)
    again = await ask(site, ADD, variables)

    assert first.data["addThing"]["errors"] == []
    assert again.data == first.data
    assert list(again.data["addThing"]) == ["number", "title", "errors"]
    assert (SEEN.added, await things(site)) == (1, 1)


async def test_the_key_of_the_header_is_as_good(site: Site) -> None:
    headers = {"Idempotency-Key": unique("key")}

    first = await site.post(ADD_PLAIN, {"t": "a"}, headers=headers)
    again = await site.post(ADD_PLAIN, {"t": "a"}, headers=headers)

    assert first["data"]["addThing"]["errors"] == []
    assert again["data"] == first["data"]
    assert await things(site) == 1


async def test_another_input_is_a_conflict_told_as_data(site: Site) -> None:
    key = unique("key")
    await ask(site, ADD, {"t": "a", "k": key})

    other = await ask(site, ADD, {"t": "b", "k": key})

    assert other.errors is None
    assert other.data["addThing"] == {"number": None, "title": None, "errors": [{"code": "CONFLICT"}]}
    assert await things(site) == 1


async def test_another_selection_is_a_conflict_and_another_spelling_is_none(site: Site) -> None:
    key = unique("key")
    first = await ask(site, ADD, {"t": "a", "k": key})

    spelt = f'mutation M {{ mine: addThing(title: "a") @idempotent(key: "{key}") {{ number, title, errors {{ code }} }} }}'
    assert (await ask(site, spelt)).data["mine"] == first.data["addThing"]
    less = await ask(site, ADD.replace("number title ", "number "), {"t": "a", "k": key})
    assert less.data["addThing"]["errors"] == [{"code": "CONFLICT"}]


async def test_a_fragment_and_a_variable_of_the_selection_belong_to_it(site: Site) -> None:
    query = (
        'mutation($k: String!, $yes: Boolean!) { addThing(title: "a") @idempotent(key: $k) { ...F errors { code } } }'
        " fragment F on AddThingPayload { number title @include(if: $yes) }"
    )
    key = unique("key")
    first = await ask(site, query, {"k": key, "yes": True})

    assert (await ask(site, query, {"k": key, "yes": True})).data == first.data
    assert (await ask(site, query, {"k": key, "yes": False})).data["addThing"]["errors"] == [
        {"code": "CONFLICT"}
    ]


async def test_a_key_belongs_to_its_principal(site: Site) -> None:
    variables = {"t": "a", "k": unique("key")}
    await ask(site, ADD, variables)

    await ask(site, ADD, variables, Principal(kind=PrincipalKind.MEMBER, id=new_id()))
    await ask(site, ADD, variables, Principal(), address="10.0.0.1")
    await ask(site, ADD, variables, Principal(), address="10.0.0.2")

    assert await things(site) == 4


async def test_without_a_key_it_is_carried_out_each_time(site: Site) -> None:
    await ask(site, ADD_PLAIN, {"t": "a"})
    await ask(site, ADD_PLAIN, {"t": "a"})

    assert (await things(site), await claims(site)) == (2, 0)


async def test_of_many_at_once_one_executes_and_all_get_its_answer(site: Site) -> None:
    variables = {"t": "a", "k": unique("key")}

    answers = await asyncio.gather(*(ask(site, ADD, variables) for _ in range(30)))

    assert {answer.data["addThing"]["number"] for answer in answers} == {1}
    assert (SEEN.added, await things(site)) == (1, 1)


async def test_two_processes_at_once_wait_for_each_other_at_the_constraint(site: Site) -> None:
    # Two executors share no memory, as two processes do not.
    from kameng.graphql.execution import Executor
    from kameng.graphql.idempotent_results import IdempotentResults

    other = Executor(site.kernel.schemas["shop"], results=IdempotentResults(site.kernel.db, "shop"))
    SEEN.pause, SEEN.started = asyncio.Event(), asyncio.Event()
    variables = {"t": "a", "k": unique("key")}
    first = asyncio.create_task(ask(site, ADD, variables))
    await SEEN.started.wait()
    second = asyncio.create_task(other.execute(ADD, variables, Context(site.kernel, principal=MEMBER)))
    while not await site.kernel.db.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    ):
        await asyncio.sleep(0.01)
    SEEN.pause.set()

    assert (await second).data == (await first).data
    assert SEEN.added == 1


async def test_a_refusal_keeps_nothing_so_that_the_key_can_be_tried_again(site: Site) -> None:
    key = unique("key")

    refused = await ask(site, ADD, {"t": "sold out", "k": key})

    assert refused.data["addThing"]["errors"] == [{"code": "NONE_LEFT"}]
    assert (await things(site), await claims(site)) == (0, 0)  # what it had written is gone as well
    assert (await ask(site, ADD, {"t": "a", "k": key})).data["addThing"]["errors"] == []


async def test_an_answer_that_cannot_be_completed_changes_nothing(site: Site) -> None:
    query = 'mutation($k: String!) { addThing(title: "a") @idempotent(key: $k) { number broken } }'

    answer = await ask(site, query, {"k": unique("key")})

    assert answer.errors[0]["extensions"]["code"] == "INTERNAL"
    assert (await things(site), await claims(site)) == (0, 0)


async def test_a_process_that_dies_in_the_middle_leaves_no_half_state(site: Site) -> None:
    SEEN.pause, SEEN.started = asyncio.Event(), asyncio.Event()
    variables = {"t": "a", "k": unique("key")}
    first = asyncio.create_task(ask(site, ADD, variables))
    await SEEN.started.wait()
    # As the server sees the end of a killed process: its connection is gone.
    await site.kernel.db.fetchval(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where datname = current_database() and state = 'idle in transaction'"
    )
    SEEN.pause.set()
    answer = await first

    assert answer.data is None
    assert answer.errors[0]["path"] == ["addThing"]
    assert (await things(site), await claims(site)) == (0, 0)
    SEEN.pause = SEEN.started = None
    assert (await ask(site, ADD, variables)).data["addThing"]["errors"] == []
    assert await things(site) == 1


async def test_each_mutation_of_a_request_has_its_own_claim(site: Site) -> None:
    query = 'mutation { a: addThing(title: "a") { number } b: addThing(title: "a") { number } }'
    key = unique("key")

    first = await ask(site, query, idempotency_key=key)
    again = await ask(site, query, idempotency_key=key)

    assert first.data == {"a": {"number": 1}, "b": {"number": 2}}
    assert again.data == first.data
    assert (await things(site), await claims(site)) == (2, 2)


async def test_a_directive_names_its_own_field_and_no_other(site: Site) -> None:
    query = 'mutation { a: addThing(title: "a") @idempotent(key: "only-a") { number } b: addThing(title: "b") { number } }'

    await ask(site, query)
    await ask(site, query)

    assert (await things(site), await claims(site)) == (3, 1)


async def test_a_mutation_with_a_key_of_its_own_gets_it_and_no_transaction(site: Site) -> None:
    query = 'mutation { addOwnWay(title: "a") @idempotent(key: "mine") { number title } }'

    answer = await ask(site, query)

    assert answer.data["addOwnWay"]["title"] == "False"
    assert await site.kernel.db.fetchval("select title from sample_thing") == "a mine"
    assert await claims(site) == 0


async def test_a_mutation_whose_answer_is_not_kept_is_carried_out_again(site: Site) -> None:
    query = 'mutation { addAgain(title: "a") @idempotent(key: "mine") { number } }'

    await ask(site, query)
    await ask(site, query)

    assert (await things(site), await claims(site)) == (2, 0)


async def test_a_key_that_is_no_text_is_refused_with_its_request(site: Site) -> None:
    answer = await ask(site, ADD, {"t": "a", "k": "a\0b"})

    assert [error["extensions"]["code"] for error in answer.errors or ()] == ["INVALID_INPUT"]
    assert not answer.ran
    assert await things(site) == 0


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_key_that_cannot_be_kept_is_refused_as_data(site: Site, key: str) -> None:
    answer = await ask(site, ADD, {"t": "a", "k": key})

    assert answer.data["addThing"]["errors"] == [{"code": "INVALID_INPUT"}]
    assert await things(site) == 0


async def test_old_results_are_forgotten_and_young_ones_are_not(site: Site) -> None:
    await ask(site, ADD, {"t": "a", "k": "old"})
    await ask(site, ADD, {"t": "a", "k": "young"})
    await site.kernel.db.execute(
        "update kernel_idempotency set created_at = now() - interval '8 days' where key = 'old'"
    )

    await prune_results(site.kernel)

    assert await site.kernel.db.fetchval("select string_agg(key, ',') from kernel_idempotency") == "young"
    assert "kernel.prune_results" in site.kernel.tasks.known
