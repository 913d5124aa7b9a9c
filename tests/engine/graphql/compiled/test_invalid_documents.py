"""What is not GraphQL, or not valid, is reported as graphql-core reports it."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kameng.graphql.compiled import CompiledSchema, Invalid
from kameng.testing.documents import documents
from tests.engine.graphql.compiled import torture
from tests.engine.graphql.compiled.comparing import as_json, by_core
from tests.engine.graphql.compiled.test_same_answers import EXAMPLES

compiled = CompiledSchema(torture.schema)


@st.composite
def damaged(draw):
    """A valid document with one place cut out, doubled or replaced."""
    source = draw(documents(torture.schema._schema)).source
    start = draw(st.integers(0, len(source)))
    end = min(len(source), start + draw(st.integers(1, 12)))
    middle = draw(
        st.sampled_from(
            ["", source[start:end] * 2, "{", "}", "id", "$v0", '"', "...", "@skip", "on", "\ud800", "é", "#"]
        )
    )
    return source[:start] + middle + source[end:]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(source=damaged())
def test_a_damaged_document_has_the_errors_of_graphql_core(source):
    prepared = compiled.prepare(source)
    if not isinstance(prepared, Invalid):
        return  # it healed
    try:
        by_core(torture.schema, source, rules=compiled.rules).send(None)
    except StopIteration as stop:
        _, errors = stop.value
    assert as_json(None, prepared.errors) == as_json(None, errors)
    assert as_json(None, compiled.prepare(source).errors) == as_json(None, errors)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "Syntax Error: Unexpected <EOF>."),
        ("{", "Syntax Error: Expected Name, found <EOF>."),
        ("{ unheard }", "Cannot query field 'unheard' on type 'Query'."),
        ("fragment F on Query { __typename }", "Fragment 'F' is never used."),
        ("{ root { branch(name: 1) { id } } }", "String cannot represent a non string value: 1"),
    ],
)
def test_errors_are_kept_and_told_again(source, message):
    first, second = compiled.prepare(source), compiled.prepare(source)

    assert [error.message for error in first.errors] == [message]
    assert list(first.errors) == list(second.errors)
    assert first.result().to_json() == second.result().to_json()
    assert b'"data"' not in first.result().to_json()


def test_suggestions_can_be_hidden():
    told = CompiledSchema(torture.schema).prepare("{ roott { id } }")
    hidden = CompiledSchema(torture.schema, hide_suggestions=True).prepare("{ roott { id } }")

    assert told.errors[0].message == "Cannot query field 'roott' on type 'Query'. Did you mean 'root'?"
    assert hidden.errors[0].message == "Cannot query field 'roott' on type 'Query'."


def test_the_number_of_tokens_is_bounded():
    prepared = CompiledSchema(torture.schema, max_tokens=5).prepare("{ root { id name } }")

    assert [error.message for error in prepared.errors] == [
        "Syntax Error: Document contains more than 5 tokens. Parsing aborted."
    ]
