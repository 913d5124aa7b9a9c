"""Texts with U+0000, which no database keeps, are refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry

from kameng.auth import VISITOR
from kameng.graphql import Context, compose_schema
from kameng.graphql.execution import Answer, Executor
from kameng.module import Module, SchemaPart

REFUSED = {
    "message": "A text holds the character U+0000.",
    "extensions": {
        "code": "INVALID_INPUT",
        "cure": "Leave it out: it cannot be kept.",
        "classification": "BAD_REQUEST",
    },
}


@strawberry.input
class Wish:
    names: list[str]


@strawberry.type
class EchoQuery:
    @strawberry.field
    def echo(self, text: str = "", wish: Wish | None = None) -> str:
        return text + "".join(wish.names if wish else ())


SCHEMA = compose_schema("shop", [Module(name="echo", version="1.0.0", shop=SchemaPart(query=EchoQuery))])


async def ask(source: str, variables: dict[str, Any] | None = None) -> Answer:
    context = Context(None, principal=VISITOR, locale="en", schema="shop")  # type: ignore[arg-type]  # asks nothing
    return await Executor(SCHEMA).execute(source, variables, context)


@pytest.mark.parametrize(
    "variables", [{"text": "a\0"}, {"wish": {"names": ["a", "\0"]}}], ids=["directly", "within a list"]
)
async def test_a_variable_is_refused(variables: dict[str, Any]) -> None:
    answer = await ask("query($text: String!, $wish: Wish) { echo(text: $text, wish: $wish) }", variables)
    assert answer == Answer(errors=[REFUSED])
    assert not answer.ran


@pytest.mark.parametrize(
    ("source", "column"),
    [
        (r'{ echo(text: "a\u0000") }', 14),
        (r'{ echo(text: "\u{0}") }', 14),
        (r'query($text: String! = "\u0000") { echo(text: $text) }', 24),
        (r'{ echo(wish: {names: ["a", "\u{000}"]}) }', 28),
    ],
)
async def test_a_document_is_refused_where_it_says_so(source: str, column: int) -> None:
    answer = await ask(source)
    assert answer == Answer(errors=[REFUSED | {"locations": [{"line": 1, "column": column}]}])


async def test_other_escapes_pass() -> None:
    source = r'query($text: String!) { a: echo(text: "\\u0000 \u0001 \u{1F600}") b: echo(text: $text) }'
    answer = await ask(source, {"text": r"\u0000" + "\x01"})
    assert answer.errors is None
    assert answer.data == {"a": "\\u0000 \x01 \U0001f600", "b": "\\u0000\x01"}


@pytest.mark.parametrize("escape", [r"\uD800", r"\u{D800}"])
async def test_half_a_character_is_no_text(escape: str) -> None:
    answer = await ask(f'{{ echo(text: "{escape}") }}')
    assert answer.errors is not None
    assert answer.errors[0]["extensions"] == {"code": "GRAPHQL_INVALID", "classification": "BAD_REQUEST"}
