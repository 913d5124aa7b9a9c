"""What the language has, each with its exact answer, compiled and never left to graphql-core."""

import pytest
from graphql import get_introspection_query


@pytest.fixture(autouse=True)
def nothing_is_left_to_graphql_core(fallbacks):
    yield
    assert fallbacks == []


def messages(result):
    return [(error.message, error.path) for error in result.errors]


async def test_a_list_with_nested_objects_scalars_and_enums(ask):
    result = await ask("{ cards(first: 1) { id name stock kind price { amount currency } __typename } }")

    assert result.data == {
        "cards": [
            {
                "id": "1",
                "name": "card 1",
                "stock": 1,
                "kind": "CARD",
                "price": {"amount": "1", "currency": "CNY"},
                "__typename": "Card",
            }
        ]
    }
    assert result.errors == []


async def test_aliases_and_merged_fields_keep_the_order_of_their_first_mention(ask):
    result = await ask("{ node(id: 1) { ... on Card { price { currency } n: name price { amount } id } } }")

    assert list(result.data["node"]) == ["price", "n", "id"]
    assert result.data["node"]["price"] == {"currency": "CNY", "amount": "1"}


async def test_fragments_on_a_union_choose_by_the_type_of_the_value(ask):
    result = await ask(
        """
        { items { __typename ...Both ... on TopUp { carrier } ... on Card { ...Stock } } }
        fragment Both on Node { id ... on Node { again: id } }
        fragment Stock on Card { stock }
        """
    )

    assert result.data["items"] == [
        {"__typename": "Card", "id": "1", "again": "1", "stock": 1},
        {"__typename": "TopUp", "id": "t", "again": "t", "carrier": "China Mobile"},
    ]


@pytest.mark.parametrize(
    ("variables", "keys"),
    [
        ({"a": True, "b": True}, ["__typename"]),
        ({"a": True, "b": False}, ["name", "stock", "__typename"]),
        ({"a": False, "b": True}, ["id", "__typename"]),
        ({"a": False, "b": False}, ["id", "name", "stock", "__typename"]),
        ({"b": False}, ["name", "stock", "__typename"]),
    ],
)
async def test_skip_and_include_by_variables(ask, variables, keys):
    result = await ask(
        """
        query ($a: Boolean = true, $b: Boolean!) { cards(first: 1) {
          id @skip(if: $a)
          ... @skip(if: $b) { name }
          stock @skip(if: $b) @include(if: true)
          price @include(if: false) { amount }
          __typename
        } }
        """,
        variables,
    )

    assert list(result.data["cards"][0]) == keys


@pytest.mark.parametrize(
    ("variables", "answer"),
    [
        ({}, "(Filter(kind=<Kind.TOP_UP: 'top-up'>, at_most=7, words=['a']), '')"),
        ({"f": None}, "(None, '')"),
        (
            {"f": {"atMost": 3, "words": "one"}, "t": "中文"},
            "(Filter(kind=None, at_most=3, words=['one']), '中文')",
        ),
        ({"f": {"kind": "CARD"}, "t": "x"}, "(Filter(kind=<Kind.CARD: 'card'>, at_most=10, words=[]), 'x')"),
    ],
)
async def test_variables_with_defaults_input_objects_lists_and_enums(ask, variables, answer):
    result = await ask(
        'query ($f: Filter = {kind: TOP_UP, atMost: 7, words: ["a"]}, $t: String!="") { search(filter: $f, text: $t) }',
        variables,
    )

    assert result.data == {"search": answer}


async def test_variables_inside_of_literals(ask):
    result = await ask(
        'query ($w: String!, $n: Int) { search(filter: {words: [$w, "b"], atMost: $n, kind: CARD}) }',
        {"w": "a"},
    )

    assert result.data == {"search": "(Filter(kind=<Kind.CARD: 'card'>, at_most=10, words=['a', 'b']), '')"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"n": "three"}, "Variable '$n' has invalid value: Int cannot represent non-integer value: 'three'"),
        (
            {"n": 2**31},
            "Variable '$n' has invalid value: Int cannot represent non 32-bit signed integer value: 2147483648",
        ),
        ({"n": True}, "Variable '$n' has invalid value: Int cannot represent non-integer value: True"),
        (
            {"n": None},
            "Variable '$n' has invalid value: Expected value of non-null type 'Int!' not to be None.",
        ),
        ({}, "Variable '$n' has invalid value: Expected a value of non-null type 'Int!' to be provided."),
    ],
)
async def test_variables_that_do_not_fit_are_refused_before_anything_runs(ask, variables, message):
    result = await ask("query ($n: Int!) { cards(first: $n) { id } }", variables)

    assert (result.data, [error.message for error in result.errors]) == (None, [message])
    assert b'"data"' not in result.to_json()


async def test_an_error_nulls_up_to_the_next_nullable_place(ask):
    result = await ask("{ node(id: 4) { id ... on Card { secret } } kept: node(id: 5) { id } }")

    assert result.data == {"node": None, "kept": {"id": "5"}}
    assert messages(result) == [("card 4 keeps its secret", ["node", "secret"])]
    assert [(place.line, place.column) for place in result.errors[0].locations] == [(1, 34)]


async def test_an_error_nulls_everything_if_no_place_is_nullable(ask):
    result = await ask("{ cards(first: 2) { id secret } }")

    assert result.data is None
    assert messages(result) == [("card 1 keeps its secret", ["cards", 0, "secret"])]
    assert b'"data":null' in result.to_json()


async def test_errors_of_asynchronous_fields_come_in_the_order_in_which_they_happen(ask):
    # given a note that fails after six turns of the loop, and a secret beside it that fails after one
    result = await ask(
        "{ a: node(id: 1) { ... on Card { lateNote } } b: node(id: 2) { ... on Card { lateSecret } } }"
    )

    assert messages(result) == [
        ("card 2 keeps its secret", ["b", "lateSecret"]),
        ("card 1 has no note", ["a", "lateNote"]),
    ]
    assert result.data == {"a": {"lateNote": None}, "b": None}


async def test_what_is_beneath_a_nulled_place_reports_nothing(ask):
    result = await ask("{ node(id: 1) { ... on Card { lateNote lateSecret } } }")

    assert messages(result) == [("card 1 keeps its secret", ["node", "lateSecret"])]


async def test_mutations_run_one_after_the_other(ask):
    result = await ask('mutation { a: slow(name: "a") quick(name: "b") c: slow(name: "c") }')

    assert list(result.data) == ["a", "quick", "c"]
    assert result.extensions["log"] == ["a begins", "a ends", "b at once", "c begins", "c ends"]


async def test_a_mutation_that_fails_stops_the_ones_after_it(ask):
    result = await ask('mutation { slow(name: "a") refuse quick(name: "never") }')

    assert result.data is None
    assert result.extensions["log"] == ["a begins", "a ends", "refused"]


async def test_permission_classes_hold(ask):
    refused = await ask("{ turnover }")
    allowed = await ask("{ turnover }", staff=True)

    assert (refused.data, messages(refused)) == ({"turnover": None}, [("staff only", ["turnover"])])
    assert (allowed.data, allowed.errors) == ({"turnover": 5}, [])


async def test_permission_classes_hold_for_fields_without_a_resolver(ask):
    refused = await ask("{ cards(first: 1) { cost } }")
    allowed = await ask("{ cards(first: 1) { cost } }", staff=True)

    assert (refused.data, messages(refused)) == (
        {"cards": [{"cost": None}]},
        [("staff only", ["cards", 0, "cost"])],
    )
    assert (allowed.data, allowed.errors) == ({"cards": [{"cost": 7}]}, [])


async def test_a_resolver_sees_its_place(ask):
    result = await ask(
        "query Where($n: Int) { here: place(n: $n) ... @include(if: true) { here: place(n: $n) } }", {"n": 2}
    )

    assert result.data["here"] == [
        "here",
        "place",
        "list of str",
        "{'n': 2}",
        "['place', 'place']",
        "Where",
        "Query",
    ]


async def test_one_of_several_operations(ask):
    source = "query A { cards(first: 1) { id } } query B { cards(first: 2) { id } }"

    assert (await ask(source, operation="B")).data == {"cards": [{"id": "1"}, {"id": "2"}]}
    assert [error.message for error in (await ask(source)).errors] == [
        "Must provide operation name if query contains multiple operations."
    ]
    assert [error.message for error in (await ask(source, operation="C")).errors] == [
        "Unknown operation named 'C'."
    ]


async def test_introspection_is_compiled_and_told_apart(ask, compiled):
    source = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
    result = await ask(source)

    assert {type_["name"] for type_ in result.data["__schema"]["types"]} >= {"Card", "Item", "Node", "Filter"}
    assert compiled.prepare(source).introspection is True
    assert compiled.prepare("{ cards { __typename } }").introspection is False
