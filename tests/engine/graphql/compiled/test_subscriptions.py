"""Subscriptions: the stream is graphql-core's, the answer to each event is compiled."""

import pytest
from graphql import build_schema, parse
from graphql import subscribe as core_subscribe

from kameng.graphql.compiled import CompiledSchema, Prepared, Result
from tests.engine.graphql.compiled import shop
from tests.engine.graphql.compiled.comparing import as_json


async def both(compiled, source, variables=None):
    """Every answer of the compiled stream, after making sure that graphql-core's stream is the same."""
    ours, theirs = shop.Context(), shop.Context()
    prepared = compiled.prepare(source)
    assert isinstance(prepared, Prepared)
    answers, error = await drain(await prepared.subscribe(variables, ours))
    expected, expected_error = await drain(
        await core_stream(shop.schema._schema, parse(source), theirs, dict(variables or {}))
    )
    assert answers == expected
    assert ours.log == theirs.log
    assert repr(error) == repr(expected_error)
    return answers, error, ours.log


async def core_stream(schema, document, context, variables):
    stream = core_subscribe(
        schema,
        document,
        context_value=context,
        variable_values=variables,
        executor_class=shop.schema.execution_context_class,
        operation_extensions=None,
    )
    return await stream if hasattr(stream, "__await__") else stream


async def drain(stream):
    if not hasattr(stream, "__aiter__"):
        return [as_json(stream.data, stream.errors)], None
    answers = []
    try:
        while True:
            result = await anext(stream)
            answers.append(as_json(result.data, result.errors))
    except StopAsyncIteration:
        return answers, None
    except Exception as error:
        return answers, error


async def test_each_event_is_answered(compiled, fallbacks):
    answers, _, log = await both(
        compiled,
        "subscription Count($to: Int!) { c: counted(to: $to) { id ... on Node { __typename } supplier { name } } }",
        {"to": 2},
    )

    assert answers == [
        b'{"data":{"c":{"id":"1","__typename":"Card","supplier":{"name":"supplier of 1"}}},"errors":[]}',
        b'{"data":{"c":{"id":"2","__typename":"Card","supplier":{"name":"supplier of 2"}}},"errors":[]}',
    ]
    assert log == ["suppliers 1", "suppliers 2", "closed"]
    assert fallbacks == []


async def test_an_error_belongs_to_its_event_and_the_stream_goes_on(compiled):
    answers, _, _ = await both(compiled, "subscription { counted(to: 2) { id lateSecret } }")

    assert [answer.count(b"keeps its secret") for answer in answers] == [1, 1]
    assert all(answer.startswith(b'{"data":null') for answer in answers)


async def test_a_source_that_breaks_ends_the_stream_with_its_error(compiled):
    answers, error, log = await both(compiled, "subscription { counted(to: 5, failAt: 2) { id } }")

    assert answers == [b'{"data":{"counted":{"id":"1"}},"errors":[]}']
    assert repr(error) == "ConnectionError('the source broke')"
    assert log == ["closed"]


@pytest.mark.parametrize(
    ("source", "variables", "message"),
    [
        ("subscription { refused { id } }", {}, "no subscription today"),
        ("subscription ($n: Int!) { counted(to: $n) { id } }", {"n": "x"}, "Variable '$n' has invalid value"),
    ],
)
async def test_a_subscription_that_cannot_start(compiled, source, variables, message):
    prepared = compiled.prepare(source)
    assert isinstance(prepared, Prepared)
    stream = await prepared.subscribe(variables, shop.Context())
    if isinstance(stream, Result):
        assert stream.errors[0].message.startswith(message)
    else:
        # graphql-core, too, learns of an asynchronous generator's first error with its first event
        with pytest.raises(PermissionError, match=message):
            await anext(stream)


async def test_closing_the_stream_closes_its_source(compiled):
    context = shop.Context()
    prepared = compiled.prepare("subscription { counted(to: 9) { id } }")
    stream = await prepared.subscribe({}, context)
    assert (await anext(stream)).data == {"counted": {"id": "1"}}
    await stream.aclose()

    assert context.log == ["closed"]


async def test_a_query_is_no_subscription(compiled):
    result = await compiled.prepare("{ __typename }").subscribe()

    assert [error.message for error in result.errors] == ["Expected subscription operation."]


async def test_a_subscription_that_falls_back_streams_as_well(compiled, fallbacks):
    prepared = compiled.prepare("subscription { counted(to: 2) { name @shout } }")
    answers, _ = await drain(await prepared.subscribe({}, shop.Context()))

    assert answers == [
        b'{"data":{"counted":{"name":"CARD 1"}},"errors":[]}',
        b'{"data":{"counted":{"name":"CARD 2"}},"errors":[]}',
    ]
    assert fallbacks == ["directive"]


def core_schema(source):
    """A schema of graphql-core whose subscription gets its events from ``source``."""
    schema = build_schema("type Query { a: Int } type Subscription { event(n: Int!): Int }")
    schema.subscription_type.fields["event"].subscribe = source
    return schema


async def later(value):
    return value


async def events():
    yield {"event": 1}
    yield {"event": "no number"}


@pytest.mark.parametrize(
    ("source", "answers"),
    [
        (lambda _root, _info, n: events(), 2),
        (lambda _root, _info, n: later(events()), 2),
        (lambda _root, _info, n: "no stream", 1),
        (lambda _root, _info, n: later(None), 1),
        (lambda _root, _info, n: ValueError("given"), 1),
        (lambda _root, _info, n: 1 / 0, 1),
    ],
    ids=["stream", "awaited stream", "no stream", "nothing", "an error", "raising"],
)
async def test_sources_of_graphql_core(source, answers):
    schema = core_schema(source)
    text = "subscription ($n: Int!) { event(n: $n) }"
    prepared = CompiledSchema(schema).prepare(text)
    ours, _ = await drain(await prepared.subscribe({"n": 1}))
    stream = core_subscribe(schema, parse(text), variable_values={"n": 1})
    theirs, _ = await drain(await stream if hasattr(stream, "__await__") else stream)

    assert ours == theirs
    assert len(ours) == answers
